# shellcheck shell=bash
# Counting what passed, failed and was skipped over several kinds of checks. Sourced after common.sh.

PASSED=0 FAILED=0 SKIPPED=0
NOTES=()
# What a check returns when its means are not to be had here.
UNAVAILABLE=77

# check NAME COMMAND...: a failure's last line stands in the closing lines, too.
check() {
  local name=$1 code=0 output
  shift
  say "$name"
  output=$(mktemp)
  ("$@") 2>&1 | tee "$output" || code=$?
  if [ "$code" = 0 ]; then
    PASSED=$((PASSED + 1))
  else
    FAILED=$((FAILED + 1))
    NOTES+=("failed: $name: $(grep . "$output" | tail -n 1 || true)")
  fi
  rm -f "$output"
}

# check_if_available NAME WHY-NOT COMMAND...: the command returns UNAVAILABLE where it cannot be done. The reason must lie
# outside of this repository (a network, a platform): it never fails a CI run.
check_if_available() {
  local name=$1 reason=$2 code=0
  shift 2
  say "$name"
  ("$@") || code=$?
  case $code in
    0) PASSED=$((PASSED + 1)) ;;
    "$UNAVAILABLE") SKIPPED=$((SKIPPED + 1)) NOTES+=("skipped: $name: $reason") ;;
    *) FAILED=$((FAILED + 1)) NOTES+=("failed: $name") ;;
  esac
}

# skip NAME REASON: a failure where CI=true.
skip() {
  if in_ci; then
    FAILED=$((FAILED + 1)) NOTES+=("failed: $1 may not be skipped here: $2")
  else
    SKIPPED=$((SKIPPED + 1)) NOTES+=("skipped: $1: $2")
  fi
}

# count FILE: adds the closing lines of cargo test, or of another script with this tally, in FILE.
count() {
  local numbers p f s
  numbers=$(awk '
    /^test result: / { p += $4; f += $6; i += $8 }
    /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5 }
    END { print p + 0, f + 0, i + s + 0 }' "$1")
  read -r p f s <<<"$numbers"
  PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
}

# The closing lines; fails if anything failed.
tally() {
  printf '\n'
  [ ${#NOTES[@]} = 0 ] || printf '%s\n' "${NOTES[@]}"
  printf '%s passed, %s failed, %s skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
  [ "$FAILED" = 0 ]
}
