# setup.sh -- what start, check and the test scripts share: packages, builds,
# and how test programs count.  Sourced by bash; $me names the caller in
# messages, $top is the top of the tree.

# Debian packages: to build Weir and have it served; to try it by hand; to test it.
packages_build=(gcc libc6-dev make autoconf automake libtool pkg-config
	liblmdb-dev libfcgi-dev libmd-dev librdkafka-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev liblz4-dev libsnappy-dev nginx openssl)
packages_try=(kcat curl)
packages_test=(libcunit1-dev kcat clang libclang-rt-14-dev llvm xz-utils python3
	python3-avro python3-jsonschema python3-confluent-kafka python3-requests python3-kafka python3-snappy python3-lz4 python3-zstandard
	xfsprogs e2fsprogs iproute2 mount procps curl)

say() {
	printf '%s: %s\n' "$me" "$*"
}

die() {
	printf '%s: %s\n' "$me" "$*" >&2
	exit 1
}

# Prints which of the packages are not installed; nothing where Debian's tools are missing.
missing_packages() {
	local have package
	command -v dpkg-query >/dev/null || return 0
	# It fails where one is unknown, which is what is asked for here.
	have=$'\n'$({ dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null || :; } |
		sed -n 's/^.i. *//p')$'\n'
	for package; do
		[[ $have == *$'\n'$package$'\n'* ]] || printf '%s\n' "$package"
	done
}

# Fills $as_root with what puts a command into root's hands; fails where nothing does.
find_root() {
	as_root=()
	[ "$(id -u)" -ne 0 ] || return 0
	as_root=(sudo)
	command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }
}

# Installs packages (names as arguments); fails where that may not be, or did not work.
install_packages() {
	local log apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
	[ $# -gt 0 ] || return 0
	if ! find_root; then
		say "these Debian packages are missing: $*"
		say "they can't be installed from here, for want of root or sudo; have this done:"
		printf '\n    apt-get update && apt-get install --no-install-recommends %s\n\n' "$*"
		return 1
	fi
	say "installing Debian packages: $*"
	log=$(mktemp)
	if ! "${as_root[@]}" "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1; then
		# The lists may be missing, or older than the archive.
		if ! { "${as_root[@]}" "${apt[@]}" update &&
			"${as_root[@]}" "${apt[@]}" install --no-install-recommends "$@"; } >"$log" 2>&1; then
			tail -n 20 "$log" >&2
			rm -f "$log"
			say "apt-get could not install them, as the lines above say"
			return 1
		fi
	fi
	rm -f "$log"
}

# Installs those of the packages that are missing.
need_packages() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	install_packages "${missing[@]}"
}

# logged LOG COMMAND...: runs it with its output in the log; where it fails, shows the end of that and fails.
logged() {
	local log=$1
	shift
	if ! "$@" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		printf '%s: this failed: %s\n%s: the lines above are the end of %s\n' "$me" "$*" "$me" "$log" >&2
		return 1
	fi
}

# configure_tree BUILD ARGUMENT...: makes BUILD ready for make, unless it is.
configure_tree() {
	local build=$1
	shift
	mkdir -p "$build"
	if [ ! -x "$top/configure" ] || [ ! -f "$top/Makefile.in" ]; then
		logged "$build/autoreconf.log" autoreconf -i "$top" || return 1
	fi
	if [ ! -f "$build/Makefile" ] || [ "$(cat "$build/.arguments" 2>/dev/null)" != "$*" ]; then
		(cd "$build" && logged "$build/configure.log" "$top/configure" -q "$@") || return 1
		printf '%s\n' "$*" >"$build/.arguments"
	fi
}

# counts FILE: sets passed, failed and skipped from the last line of the form
# "N passed, N failed[, N skipped]"; fails where there is none.
counts() {
	local line
	line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$1" | tail -n 1)
	[[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]] || return 1
	passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[4]:-0}
}

# summary PASSED FAILED SKIPPED: the line that every test program ends with.
summary() {
	printf '%d passed, %d failed' "$1" "$2"
	[ "$3" -eq 0 ] || printf ', %d skipped' "$3"
	printf '\n'
}

# skips FILE: the lines that tell of something skipped, and why: "skipped NAME: REASON".
skips() {
	grep -aE '^skipped .+: ' "$1" || true
}
