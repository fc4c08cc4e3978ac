# Not followed.
