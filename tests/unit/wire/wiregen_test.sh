#!/bin/sh
# wiregen_test.sh -- tables that make no sense stop the generator with
# "file:line: reason"; good ones come out whole.
#
# srcdir and AWK as make sets them; without, for use from the top of the source.
: "${srcdir:=.}" "${AWK:=awk}"
generator=$srcdir/logd/wire/wiregen.awk
table=$srcdir/logd/wire/kafka.tbl
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAILED $*"; }

head='api fetch 1 versions 4-12 flexible 12+
request
  replica_id int32 0+
response
'
# refuses LINE REASON TABLE
refuses() {
	printf '%s\n' "$3" >"$dir/t.tbl"
	want="$dir/t.tbl:$1: $2"
	for out in h c md; do
		got=$($AWK -v out=$out -f "$generator" "$dir/t.tbl" 2>&1 >/dev/null)
		status=$?
		if [ $status -ne 0 ] && [ "$got" = "$want" ]; then
			pass
		else
			fail "status $status, said: $got"
			echo "       wanted:       $want"
		fi
	done
}

# takes TABLE
takes() {
	printf '%s\n' "$1" >"$dir/t.tbl"
	if got=$($AWK -v out=h -f "$generator" "$dir/t.tbl" 2>&1 >/dev/null); then
		pass
	else
		fail "refused: $got"
	fi
}

takes "$head  error_code error 0+"
refuses 1 "'topic' begins no line: api, request, response, header, record" \
	'topic string 0+'
refuses 1 'expected: api NAME KEY versions A-B flexible N+|none' \
	'api fetch versions 4-12 flexible 12+'
refuses 1 'the versions of a message have an end' \
	'api fetch 1 versions 4+ flexible 12+'
refuses 1 "'4..12' is no range of versions: 4+, 0-12 or 7" \
	'api fetch 1 versions 4..12 flexible 12+'
refuses 1 'the range 12-4 is empty' \
	'api fetch 1 versions 12-4 flexible 12+'
refuses 6 'keys must rise' "$head  x int8 5+
api produce 0 versions 0-1 flexible none"
refuses 6 'there is a struct wire_fetch_response already' "$head  x int8 5+
response"
refuses 4 'api fetch needs a request and a response' \
	'api fetch 1 versions 4-12 flexible 12+
request
  a int8 0+
'
refuses 5 'expected: name type versions [null versions] [tag n] [= default] [must]' \
	"$head  error_code error"
refuses 5 'expected: name type versions [null versions] [tag n] [= default] [must]' \
	"$head  ErrorCode error 0+"
refuses 5 "'int7' is no type" "$head  x int7 0+"
refuses 5 "'new' is no range of versions: 4+, 0-12 or 7" "$head  x int8 new"
refuses 5 'no version of fetch_response has x' "$head  x int8 13+"
refuses 5 'no version of fetch_response has x' "$head  x int8 0-3"
refuses 5 'x may be null in versions that lack it' "$head  x string 5+ null 4+"
refuses 5 'int8 cannot be null' "$head  x int8 5+ null 5+"
refuses 5 "'1x' is no default for int8" "$head  x int8 5+ = 1x"
refuses 5 "'1' is no default for string" "$head  x string 5+ = 1"
refuses 5 'x has no null versions, so null is no default' "$head  x string 5+ = null"
refuses 5 'a default of x can only be null' "$head  x []int8 5+ = 1"
refuses 5 "cannot read 'maybe': null N+, tag n, = default, must, classic" \
	"$head  x int8 5+ maybe"
refuses 5 'only a string can be classic' "$head  x int8 5+ classic"
refuses 5 'a tagged field needs flexible versions' "$head  x int8 5+ tag 0"
refuses 5 'x is tagged and may be null: say its default' \
	"$head  x string 12+ null 12+ tag 0"
for struct in 'null 5-11 = null' 'null 5+' 'null 5+ tag 0 = null'; do
	refuses 5 'a struct that may be null is so in all its versions and by default, and has no tag' \
		"$head  x struct y 5+ $struct
    z int8 5+"
done
takes "$head  x struct y 5+ null 5+ = null
    z int8 5+"
refuses 5 'records cannot be tagged' "$head  x records 12+ tag 0"
refuses 6 'tags of one struct must rise' "$head  x int8 12+ tag 1
  y int8 12+ tag 0"
refuses 6 'a second x in one struct' "$head  x int8 5+
  x int8 5+"
refuses 5 'steps are two blanks' "$head   x int8 5+"
refuses 5 'a tab: steps are two blanks' "$head$(printf '\tx int8 5+')"
refuses 6 'nothing is open at this depth' "$head  x int8 5+
    y int8 5+"
refuses 6 'the fields of topic must follow, two blanks deeper' "$head  x []topic 5+
  y int8 5+"
refuses 6 'struct topic above has no fields' "$head  x []topic 5+
record r versions 0 flexible none"
refuses 5 'struct topic has no fields' "$head  x []topic 5+"
refuses 6 'struct wire_fetch_response_topic cannot hold itself' \
	"$head  x []topic 5+
    y []topic 5+"
refuses 7 'there is a message fetch already' "$head  x int8 5+

record fetch versions 0 flexible none"
refuses 1 'nothing is open at this depth' '  x int8 5+'

for out in h c md; do
	if $AWK -v out=$out -f "$generator" "$table" >"$dir/$out" 2>"$dir/err" &&
	    [ -s "$dir/$out" ] && [ ! -s "$dir/err" ]; then
		pass
	else
		fail "the table itself, out=$out: $(cat "$dir/err")"
	fi
done
if grep -q '^| 1 | \[fetch\](#fetch_request) | 4-17 | 12+ |$' "$dir/md"; then
	pass
else
	fail 'the page lists no fetch 4-17'
fi
if $AWK -f "$generator" "$table" >/dev/null 2>&1; then
	fail 'an output must be chosen'
else
	pass
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
