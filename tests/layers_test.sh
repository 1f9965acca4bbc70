#!/bin/sh
# layers_test.sh -- the include graph is the one that LAYERS draws; and the
# checker sees what it should see.
set -eu

srcdir=$(cd "${srcdir:-.}" && pwd)
awk=${AWK:-awk}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
passed=0

# expect FILE TEXT LINE: a file of this text, as FILE, gets this line (empty: none).
expect() {
	mkdir -p "$tmp/$(dirname "$1")"
	printf '%b\n' "$2" >"$tmp/$1"
	told=$(cd "$tmp" && "$awk" -f "$srcdir/tests/layers.awk" "$srcdir/tests/LAYERS" "$1" | sed '$d') || true
	rm "$tmp/$1"
	if [ "$told" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAIL: %s: %s\n  told:     %s\n  expected: %s\n' "$1" "$2" "$told" "$3"
	fi
}

expect logd/coord/x.c '#include "base/map.h"\n#include "coord/y.h"\n#include <stdint.h>' ''
expect logd/coord/x.c '\n  # include "net/loop.h"' 'logd/coord/x.c:2: logd/coord must not include logd/net'
expect logd/coord/x.c '#include <time.h>' 'logd/coord/x.c:1: logd/coord is pure and must not include <time.h>'
expect logd/wire/x.h '#include "base/diag.h"' 'logd/wire/x.h:1: logd/wire is pure and must not write lines'
expect logd/api/x.c '#include <lmdb.h>' 'logd/api/x.c:1: logd/api must not include <lmdb.h>: that is for logd/store'
expect logd/store/x.c '#include <lmdb.h>\n#include <time.h>' ''
expect lib/base/x.c '#include "map.h"' 'lib/base/x.c:1: "map.h" does not name its folder: write "folder/map.h"'
expect logd/plat/x.c '#include "config.h"' ''
expect lib/base/x.c '#include "store/store.h"' 'lib/base/x.c:1: lib/base must not include lib/store'
expect fcgi-apps/registry/x.c '#include "rest-proxy/y.h"' \
	'fcgi-apps/registry/x.c:1: fcgi-apps/registry must not include fcgi-apps/rest-proxy'
expect fcgi-apps/rest-proxy/x.c '#include "libweir/producer.h"' ''
expect fcgi-apps/registry/x.c '#include "libweir/producer.h"' \
	'fcgi-apps/registry/x.c:1: fcgi-apps/registry must not include clients/libweir'
expect logd/news/x.c '#include "base/map.h"' 'logd/news/x.c:1: its folder is not in the list'

# The tree itself.
cd "$srcdir"
set --
for top in lib logd fcgi-apps clients; do
	[ -d "$top" ] && set -- "$@" $(find "$top" -name '*.[ch]' | sort)
done
if ! "$awk" -f tests/layers.awk tests/LAYERS "$@" >"$tmp/told"; then
	sed '$d' "$tmp/told"
fi
last=$(tail -n 1 "$tmp/told")
passed=$((passed + ${last%% passed*}))
last=${last#*, }
failed=$((failed + ${last%% failed*}))

# Tests are linked with what they test; they never include its source.
if grep -rn --include='*.[ch]' '#include.*\.c[">]' tests; then
	echo 'FAIL: the lines above include a .c'
	failed=$((failed + 1))
else
	passed=$((passed + 1))
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
