#!/usr/bin/env bash
# Patches a Go program, checks the result against a policy, verifies it, and keeps the evidence.
#
#   harden.sh PROGRAM OUT EVIDENCE POLICY [FLAG OF gopatch]...
#
# OUT is the patched program. The folder EVIDENCE gets report.json, provenance.json (an in-toto
# statement, for cosign to sign), verdict.json, policy.yaml and SHA256SUMS. The variable GOPATCH
# names the gopatch to run; by default it is the one on PATH.
# Exit status: 0 if OUT may be shipped; otherwise OUT is removed. 1: it does not meet the policy.
set -euo pipefail

if [ $# -lt 4 ]; then
	sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
program=$1 out=$2 evidence=$3 policy=$4
shift 4
gopatch=${GOPATCH:-gopatch}

# An OUT that may not be shipped is removed below, so it must not be PROGRAM.
if [ "$program" -ef "$out" ]; then
	echo "harden.sh: OUT is PROGRAM ($program): give OUT another name" >&2
	exit 2
fi

mkdir -p "$evidence"
done=
trap '[ -n "$done" ] || rm -f "$out"' EXIT

# Status 1: OUT was written, but something was refused. The policy decides on that.
status=0
"$gopatch" "$program" -o "$out" "$@" \
	--report "$evidence/report.json" --format json --provenance "$evidence/provenance.json" || status=$?
if [ "$status" -gt 1 ]; then
	exit "$status"
fi

cp "$policy" "$evidence/policy.yaml"
status=0
"$gopatch" inspect "$out" --policy "$evidence/policy.yaml" --format json >"$evidence/verdict.json" || status=$?
if [ "$status" -ne 0 ]; then
	# Again, as text for people.
	"$gopatch" inspect "$out" --policy "$policy" >&2 2>/dev/null || true
	exit "$status"
fi
"$gopatch" verify "$out" --original "$program"

sums=$(cd "$evidence" && sha256sum -- report.json provenance.json verdict.json policy.yaml)
printf '%s\n' "$sums" >"$evidence/SHA256SUMS"
done=yes
