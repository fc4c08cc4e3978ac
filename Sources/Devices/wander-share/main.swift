// Everything is elsewhere: closures written in top-level code belong to the main actor, and trap on any other thread.
runShareProgram()
