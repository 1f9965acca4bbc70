#!/usr/bin/env bash
# start_test.sh -- ./start as a person meets it: its errors, its first run, its
# second, and its end.  Needs WEIR_LOGD, so that nothing is built here.
set -uo pipefail

top=$(cd "${srcdir:-.}" && pwd)
export WEIR_LOGD=${WEIR_LOGD:-$PWD/weir-logd}
tmp=$(mktemp -d)
passed=0
failed=0
running=

cleanup() {
	[ -z "$running" ] || kill -TERM "$running" 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap cleanup EXIT

# claim NAME COMMAND...: the command succeeds.
claim() {
	if "${@:2}"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL: $1"
		sed 's/^/  | /' "$tmp/said"
	fi
}

# says STATUS TEXT ARGUMENT...: ./start with the arguments ends so, having said this.
says() {
	local status=0
	timeout 20 "$top/start" "${@:3}" >"$tmp/said" 2>&1 || status=$?
	[ "$status" -eq "$1" ] && grep -qF -- "$2" "$tmp/said"
}

# up ARGUMENT...: ./start with the arguments runs, at any free ports; $address is where the log answers.
up() {
	: >"$tmp/said"
	# What a shell starts in the background ignores SIGINT, and could not trap it.
	env --default-signal=INT "$top/start" --port 0 --registry-port 0 --proxy-port 0 --tls-port 0 "$@" \
		>>"$tmp/said" 2>&1 &
	running=$!
	until grep -q 'Ctrl-C stops everything' "$tmp/said"; do
		kill -0 "$running" 2>/dev/null || return 1
		sleep 0.05
	done
	address=$(sed -n 's/^ *Kafka protocol *//p' "$tmp/said")
}

# down SIGNAL: it ends as it should.
down() {
	local status=0
	kill "-$1" "$running"
	wait "$running" || status=$?
	running=
	[ "$status" -eq 0 ] && [ "$(tail -n 1 "$tmp/said")" = 'start: stopped' ]
}

put() {
	printf '%s\n' "$1" | timeout 20 kcat -b "$address" -P -t first 2>>"$tmp/said"
}

# holds TEXT: the topic's records are these lines.
holds() {
	[ "$(timeout 20 kcat -q -b "$address" -C -t first -o beginning -e 2>>"$tmp/said")" = "$1" ]
}

# shown WHAT: the address that ./start shows for it.
shown() {
	sed -n "s/^ *$1 *\\([^ ]*\\).*/\\1/p" "$tmp/said"
}

# gives TEXT ARGUMENT...: curl with the arguments gets an answer with this text in it.
gives() {
	timeout 20 curl -s "${@:2}" 2>>"$tmp/said" | grep -qF -- "$1"
}

registers() {
	gives '"id":1' -H 'Content-Type: application/vnd.schemaregistry.v1+json' --data '{"schema":"\"string\""}' \
		"$(shown 'schema registry')/subjects/first-value/versions"
}

produces() {
	gives '"offset":0' -H 'Content-Type: application/vnd.kafka.json.v2+json' --data '{"records":[{"value":1}]}' \
		"$(shown 'REST proxy')/topics/by-http"
}

by_tls() {
	gives by-http --cacert "$dir/tls/weir.crt" "$(shown 'both, by TLS')/topics" &&
		gives first-value --cacert "$dir/tls/weir.crt" "$(shown 'both, by TLS')/subjects"
}

# again PROGRAM: one of these that is killed is started again, and answers.
again() {
	local old
	old=$(pgrep -P "$running" "$1" | head -n 1)
	kill -KILL "$old"
	until [ "$(pgrep -P "$running" -c "$1")" -eq 2 ] && ! pgrep -P "$running" "$1" | grep -qx "$old"; do
		kill -0 "$running" || return 1
		sleep 0.05
	done
	grep -q 'it is started again' "$tmp/said"
}

# all_again: so are all that are killed at the same time.
all_again() {
	local apps
	apps=$(pgrep -P "$running" 'weir-(registry|rest-pr)')
	# shellcheck disable=SC2086
	kill -KILL $apps
	until [ "$(pgrep -P "$running" -c 'weir-(registry|rest-pr)')" -eq 4 ] &&
		! pgrep -P "$running" | grep -qxF "$apps"; do
		kill -0 "$running" || return 1
		sleep 0.05
	done
}

# log_again: the log, which has run for some seconds, is killed: it is started again where it was, with what it had.
log_again() {
	local old
	old=$(pgrep -P "$running" weir-logd)
	until [ "$(ps -o etimes= -p "$old")" -ge 6 ]; do sleep 0.1; done
	kill -KILL "$old"
	until pgrep -P "$running" weir-logd | grep -qvx "$old"; do
		kill -0 "$running" || return 1
		sleep 0.05
	done
	until timeout 20 kcat -b "$address" -C -t by-http -e -q -o beginning 2>/dev/null | grep -qx 1; do
		kill -0 "$running" || return 1
		sleep 0.05
	done
}

# Nothing outlives it, however it ends.
gone() {
	local children child
	children=$(pgrep -P "$running")
	kill -KILL "$running"
	wait "$running" 2>/dev/null
	running=
	for child in $children; do
		timeout 20 tail --pid="$child" -f /dev/null || return 1
	done
}

dir="$tmp/a state"
claim help_lists_options says 0 '--port N' --help
claim unknown_option_is_named says 1 'there is no option --prot' --prot 1
claim missing_value_is_told says 1 '--port needs a value' --port
claim bad_port_is_told says 1 'write a port from 0 to 65535' --port 99999
claim zeros_before_a_port_are_no_digits says 1 'write the address to listen at in digits' \
	--dir "$dir" --port 000000 --listen no.such.host
claim bad_folder_is_told says 1 "can't be made" --dir /proc/none
claim bad_address_is_told_by_the_daemon says 1 'write the address to listen at in digits' \
	--dir "$dir" --port 0 --listen no.such.host

# As the scripts call it: what is missing must not end them.
claim missing_packages_are_found bash -euo pipefail -c '. "$1/.ci/setup.sh"
	mapfile -t missing < <(missing_packages dpkg no-such-package)
	[ "${missing[*]}" = no-such-package ]' - "$top"

claim first_start_comes_up up --dir "$dir"
claim first_record_is_taken put one
claim configuration_is_written test -s "$dir/weir-logd.conf"
claim registry_registers registers
claim proxy_produces produces
claim both_answer_by_tls by_tls
claim a_registry_that_is_killed_comes_back again weir-registry
claim a_proxy_that_is_killed_comes_back again weir-rest-proxy
claim all_that_are_killed_at_once_come_back all_again
claim a_log_that_is_killed_comes_back log_again
claim second_start_on_a_folder_is_refused says 1 'is in use by another ./start' --dir "$dir" --port 0
claim taken_port_is_named says 1 "port ${address##*:} is taken" --dir "$tmp/other" --port "${address##*:}"
claim sigterm_ends_it down TERM
claim second_start_comes_up up "--dir=$dir" --port=0
claim second_start_finds_the_data holds one
claim and_takes_more put two
claim sighup_ends_it down HUP
claim third_start_comes_up up --dir "$dir"
claim nothing_is_lost holds $'one\ntwo'
claim schemas_are_there gives first-value "$(shown 'schema registry')/subjects"
claim sigint_ends_it down INT

claim every_address_can_be_listened_at up --dir "$tmp/every" --listen 0.0.0.0
claim what_is_suggested_then_works put three
claim and_is_an_address_to_connect_to grep -q "kcat -b 127.0.0.1:${address##*:} -C" "$tmp/said"
claim it_ends down TERM

claim fourth_start_comes_up up --dir "$dir"
claim nothing_outlives_it gone
claim and_nothing_is_broken_by_that up --dir "$dir"
claim it_ends_once_more down TERM

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
