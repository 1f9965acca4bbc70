#!/bin/sh
# headers_test.sh -- every header compiles alone, and twice.
set -eu

srcdir=$(cd "${srcdir:-.}" && pwd)
builddir=$(pwd) # where made headers are
cc=${CC:-cc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

# check TOP HEADER: the header as it is included below that folder.
check() {
	printf '#include "%s"\n#include "%s"\nextern int not_empty;\n' "$2" "$2" >"$tmp/x.c"
	if $cc -std=c11 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Wpedantic -Werror \
		-I"$srcdir/lib" -I"$srcdir/$1" -I"$srcdir/clients" -I"$builddir/$1" "$tmp/x.c" 2>"$tmp/told"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL: $1/$2 does not compile alone:"
		head -n 8 "$tmp/told"
	fi
}

for top in lib logd fcgi-apps clients; do
	[ -d "$srcdir/$top" ] || continue
	for header in $(cd "$srcdir/$top" && find . -name '*.h' | sort); do
		check "$top" "${header#./}"
	done
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
