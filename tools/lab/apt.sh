# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# apt.sh - packages of the system's distribution, unpacked without installing them
#
# kernel.sh, headers.sh and bcc.sh source it. The packages come by the system's apt from the
# system's mirror, with signatures checked as always; suites that the system does not use
# have a private list beside them. Nothing of the system's is changed, root is not needed.
#
# They set version (bcc.sh: to nothing), and call apt_begin first. In $work: debs/, root/ and new/ are theirs.

DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

skip() {
	# shellcheck disable=SC2154 # theirs
	echo "${0##*/}: ${version:+kernel $version: }$*" >&2
	exit 77
}

# suites that have it, the likeliest first
suites_of() {
	case $1 in
	6.1) echo bookworm ;;
	6.12) echo bookworm-backports trixie ;;
	esac
}

os_id() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "$ID")
}

# The system's own mirror of Debian's main archive. Before the first "apt-get update"
# nothing says whose archive an address is but the address.
mirror_of_debian() {
	# shellcheck disable=SC2016 # for apt to expand
	mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' \
		'Created-By: Packages' | awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
	[ -n "$mirror" ] || mirror=$(apt-get update --print-uris |
		sed -n "s|^'\(.*/debian/\)dists/[a-z-]*/InRelease' .*|\1|p" | head -n 1)
	echo "$mirror"
}

apt_private() {
	tool=$1
	shift
	"$tool" -q -o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=- \
		-o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" \
		-o APT::Sandbox::User= -o Acquire::Languages=none "$@"
}

apt_system() {
	tool=$1
	shift
	"$tool" -q -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User= "$@"
}

# what a metapackage stands for: its dependency "PREFIX..."
resolve() {
	"$1" apt-cache depends "$2" 2>/dev/null | awk -v p="$3" '
		$1 == "Depends:" && index($2, p) == 1 { print $2; exit }'
}

# apt_begin OUTDIR - a work folder that goes when the script ends
apt_begin() {
	command -v apt-get >/dev/null || skip "no apt on this system"
	[ "$(dpkg --print-architecture)" = amd64 ] || skip "x86_64 only"
	work=$(mktemp -d "$(cd "$1" && pwd)/${0##*/}.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' INT TERM HUP
	mkdir -p "$work/debs" "$work/root" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
}

# fetch_from_suites COMMAND - that for each suite which may have it, from one that the system need
# not use, until it succeeds
fetch_from_suites() {
	mirror=$(mirror_of_debian)
	[ -n "$mirror" ] || skip "the system's apt knows no Debian mirror"
	[ -r "$DEBIAN_KEYS" ] || skip "$DEBIAN_KEYS is not installed"
	for suite in $(suites_of "$version"); do
		echo "deb [signed-by=$DEBIAN_KEYS] $mirror $suite main" >"$work/apt/sources.list"
		apt_private apt-get update >"$work/apt.log" 2>&1 || continue
		! "$1" || return 0
	done
	[ ! -f "$work/apt.log" ] || cat "$work/apt.log" >&2
	skip "not in $(suites_of "$version") at $mirror, or the mirror does not answer"
}

# download PACKAGE... - from the suite at hand
download() {
	(cd "$work/debs" && apt_private apt-get download "$@") >>"$work/apt.log" 2>&1
}

# what has been downloaded, into $work/root
unpack_debs() {
	for deb in "$work"/debs/*.deb; do
		dpkg-deb -x "$deb" "$work/root"
	done
	# /lib may be a link to usr/lib in newer packages
	[ -e "$work/root/lib" ] || ln -s usr/lib "$work/root/lib"
}
