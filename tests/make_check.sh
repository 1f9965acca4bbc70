#!/usr/bin/env bash
# make_check.sh -- `make check` in the build's folder, and the sum of what its
# programs count.  With "programs": the programs alone, without the scripts; with
# names of folders behind it, those of tests/unit/NAME.
set -uo pipefail

me=make_check
top=$(cd "${srcdir:-.}" && pwd)
. "$top/.ci/setup.sh"

find . -name '*.trs' -exec rm {} +
only=()
if [ $# -gt 1 ]; then
	only=("TESTS=\$(filter$(printf ' tests/unit/%s/%%' "${@:2}"),\$(check_PROGRAMS))")
elif [ $# -eq 1 ]; then
	only=('TESTS=$(check_PROGRAMS)')
fi
make -k -j"$(nproc)" check "${only[@]}" >make_check.log 2>&1
status=$?

sum_passed=0 sum_failed=0 sum_skipped=0
while read -r trs; do
	name=${trs#./} name=${name%.trs}
	if ! counts "$name.log"; then
		passed=0 failed=1 skipped=0
	elif ! grep -q '^:test-result: PASS' "$trs" && [ "$failed" -eq 0 ]; then
		failed=1
	fi
	printf '%s: ' "$name"
	summary "$passed" "$failed" "$skipped"
	skips "$name.log"
	[ "$failed" -eq 0 ] || grep -v ' passed$' "$name.log" | tail -n 30
	sum_passed=$((sum_passed + passed))
	sum_failed=$((sum_failed + failed))
	sum_skipped=$((sum_skipped + skipped))
done < <(find . -name '*.trs' | sort)

# What failed before a test could run.
if [ "$status" -ne 0 ] && [ "$sum_failed" -eq 0 ]; then
	tail -n 30 make_check.log
	sum_failed=1
fi
summary "$sum_passed" "$sum_failed" "$sum_skipped"
[ "$sum_failed" -eq 0 ]
