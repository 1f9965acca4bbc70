# layers.awk -- compares #include lines with the list of who may include whom.
#
#	awk -f layers.awk LAYERS top/folder/file.c ...
#
# Files are named by their path from the top of the tree.  Each line that should
# not be there is printed as "file:line: reason"; the last line counts the files
# with and without one.

function blame(reason)
{
	print FILENAME ":" FNR ": " reason
	bad[FILENAME] = 1
}

# The folder of the list that a path lies in; "" when there is none.
function home(path, parts)
{
	split(path, parts, "/")
	return (parts[1] "/" parts[2]) in allowed ? parts[1] "/" parts[2] : ""
}

# Where "x/y.h" leads to from a folder: beside it, to libweir, or to lib.
function target(from, included, top, first)
{
	top = from
	sub("/.*", "", top)
	first = included
	sub("/.*", "", first)
	if ((top "/" first) in allowed)
		return top "/" first
	return (first == "libweir" ? "clients/" : "lib/") first
}

function check_own(included, to)
{
	if (included == "config.h") # made by configure
		return
	if (included !~ "/") {
		blame("\"" included "\" does not name its folder: write \"folder/" included "\"")
		return
	}
	to = target(folder, included)
	if (to != folder && index(" " allowed[folder] " ", " " to " ") == 0)
		blame(folder " must not include " to)
	else if (pure[folder] && included == "base/diag.h")
		blame(folder " is pure and must not write lines")
}

function check_other(included, name)
{
	for (name in homes)
		if (index(included, name) == 1 && index(" " homes[name] " ", " " folder " ") == 0)
			blame(folder " must not include " included ": that is for " homes[name])
	if (pure[folder] && !(included in harmless))
		blame(folder " is pure and must not include " included)
}

BEGIN {
	n = split("assert ctype errno float inttypes limits math md5 sha2 stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings", names, " ")
	for (i = 1; i <= n; i++)
		harmless["<" names[i] ".h>"] = 1
}

FNR == 1 { file++ }

# The list.
file == 1 && (/^#/ || NF == 0) { next }
file == 1 {
	name = $1
	$1 = ""
	sub(/^ +/, "")
	if (name ~ /^</) {
		homes[name] = $0
		next
	}
	sub(/:$/, "", name)
	pure[name] = sub(/ *pure$/, "")
	allowed[name] = $0
	next
}

# The files.
FNR == 1 {
	files++
	folder = home(FILENAME)
	if (folder == "") {
		blame("its folder is not in the list")
		nextfile
	}
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, piece, "\"")
	check_own(piece[2])
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	sub(/^[^<]*/, "")
	sub(/>.*/, ">")
	check_other($0)
}

END {
	for (name in bad)
		failed++
	printf "%d passed, %d failed\n", files - failed, failed
	exit failed > 0
}
