# Turns the listing of `tar -tv --numeric-owner --full-time` into commands for debugfs that make the same tree.
# Variables: tree (where the archive is unpacked), date (seconds since the epoch, for what tar does not date).
# Hard links come after their targets in a tar archive, so one pass suffices.

function mode_bits(text,   value, i, letter) {
    value = 0
    for (i = 2; i <= 10; i++) {
        letter = substr(text, i, 1)
        if (letter ~ /[rwxst]/) value += 2 ^ (10 - i)
    }
    if (substr(text, 4, 1) ~ /[sS]/) value += 2048
    if (substr(text, 7, 1) ~ /[sS]/) value += 1024
    if (substr(text, 10, 1) ~ /[tT]/) value += 512
    return value
}

function quoted(path) { return "\"" path "\"" }

# owner and mode of what has just been made
function attributes(path, type, owner,   ids) {
    split(owner, ids, "/")
    if (type != "l") printf "sif %s mode 0%o\n", quoted(path), kind[type] + mode_bits($1)
    if (ids[1] != 0) printf "sif %s uid %d\n", quoted(path), ids[1]
    if (ids[2] != 0) printf "sif %s gid %d\n", quoted(path), ids[2]
}

BEGIN {
    kind["d"] = 16384; kind["-"] = 32768; kind["l"] = 40960
}

{
    type = substr($1, 1, 1)
    # The name is whatever follows the fifth blank-separated field and one blank.
    name = $0
    for (i = 1; i <= 5; i++) sub(/^ *[^ ]+/, "", name)
    sub(/^ /, "", name)
    if (name ~ /["\n]/) { print "tar entry with a name that debugfs cannot take: " name > "/dev/stderr"; exit 1 }
    target = ""
    if (type == "l" && (at = index(name, " -> "))) { target = substr(name, at + 4); name = substr(name, 1, at - 1) }
    if (type == "h" && (at = index(name, " link to "))) { target = substr(name, at + 9); name = substr(name, 1, at - 1) }
    sub(/^\.\//, "/", name); sub(/\/$/, "", name); sub(/^\.$/, "", name)
    if (name !~ /^\//) name = "/" name
    if (name == "/") { attributes(name, "d", $2); next }
    if (name ~ /^\/dev\//) next

    # debugfs makes things in its current directory, whatever slashes the name has.
    directory = name; sub(/\/[^\/]*$/, "", directory)
    base = name; sub(/.*\//, "", base)
    if (directory == "") directory = "/"
    if (directory != current) { printf "cd %s\n", quoted(directory); current = directory }

    if (type == "d") printf "mkdir %s\n", quoted(base)
    else if (type == "-") printf "write %s %s\n", quoted(tree name), quoted(base)
    else if (type == "l") printf "symlink %s %s\n", quoted(base), quoted(target)
    else if (type == "h") {
        sub(/^\.\//, "/", target)
        if (target !~ /^\//) target = "/" target
        links[target]++
        printf "ln %s %s\nsif %s links_count %d\n", quoted(target), quoted(base), quoted(target), links[target] + 1
        next
    } else { print "tar entry of a kind that the image cannot hold: " $0 > "/dev/stderr"; exit 1 }
    attributes(name, type, $2)
}
