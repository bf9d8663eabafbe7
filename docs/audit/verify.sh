#!/bin/sh
# Verifies a snapshot of a Tamiz store without Tamiz: with sha256sum, jq and, for
# the signature, minisign. It writes nothing anywhere.
#   verify.sh [-r] STORE/PIPELINE [SNAPSHOT [PUBLIC_KEY]]
# -r reads the raw files, too. PUBLIC_KEY is a line such as RWQ… or its file.
# Exit codes: 0 all is as it was published, 3 something differs, 2 it cannot tell.
set -u
LC_ALL=C; export LC_ALL
raw=; [ "${1-}" = -r ] && { raw=1; shift; }
[ $# -ge 1 ] && [ $# -le 3 ] && [ -d "$1" ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
for tool in sha256sum jq ${3:+minisign}; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install coreutils jq minisign" >&2; exit 2; }
done
cd "$1" || exit 2
pipeline=$(basename "$PWD") id=${2-} key=${3-} wrong=0 files=0 manifests=0 raws=0
[ -n "$id" ] || id=$(jq -r .snapshot latest.json) || exit 2
case $id in ''|*[!0-9.-]*) echo "$id is no snapshot such as 2026-11-29.1" >&2; exit 2;; esac

differs() { # FILE PROBLEM EXPECTED FOUND
  printf 'damaged  %s: %s\n  expected  %s\n  found     %s\n' "$1" "$2" "$3" "$4"; wrong=$((wrong + 1))
}
digest() { if [ -f "$1" ]; then sha256sum <"$1"; else echo "no file"; fi; }
same() { # FILE PROBLEM DIGEST: the file has the digest
  found=$(digest "$1"); found=${found%  -}; [ "$found" = "$3" ] || differs "$1" "$2" "$3" "$found"
}
manifest_of() { if [ -f "snapshots/$1/manifest.json" ]; then echo "snapshots/$1/manifest.json"; else echo "removed/$1.json"; fi; }
contents() { jq -r '(.tables // [])[], (.files // [])[] | "\(.sha256) \(.bytes) \(.file)"' "$1"; }
pins() { # of the public archive: digest and bytes
  jq -r '(.sources // [])[] | select(.archive == "public") | [(.files // [])[], ((.vintages // [])[].files // [])[]][] | ., (.beside // [])[] | "\(.digest) \(.bytes)"' "$1" | sort -u
}

# latest.json: its own digest, and the manifest that it points to.
latest=$(jq -r .snapshot latest.json 2>/dev/null)
own=$(jq 'del(.sha256)' latest.json 2>/dev/null | sha256sum | cut -c1-64)
told=$(jq -r --arg own "$own" '.sha256 // $own' latest.json 2>/dev/null) # older ones have none
if ! jq . latest.json 2>/dev/null | cmp -s - latest.json ||
  ! jq -e '(keys - ["snapshot", "manifest_sha256", "published_at", "turn", "sha256"]) == []' latest.json >/dev/null; then
  differs latest.json "it is not written as it was" "known fields in the form of jq" "other bytes"
elif [ "$own" != "$told" ]; then differs latest.json "it was changed: its own digest is of another text" "$told" "$own"; fi
case $latest in ''|*[!0-9.-]*) ;; *) same "$(manifest_of "$latest")" "latest.json names another manifest of $latest" "$(jq -r .manifest_sha256 latest.json)";; esac

# What children say of the manifest.
manifest=$(manifest_of "$id")
[ -f "$manifest" ] || { differs "$manifest" "the manifest is missing" "a file" "no file"; exit 3; }
for child in snapshots/*/manifest.json removed/*.json; do
  [ -f "$child" ] || continue
  want=$(jq -r --arg id "$id" 'select(.parent.snapshot == $id) | .parent.manifest_sha256' "$child" 2>/dev/null)
  [ -z "$want" ] || same "$manifest" "$child names another manifest as its parent" "$want"
done

# The chain of parents, back to the first.
at=$id seen=' '
while :; do
  file=$(manifest_of "$at"); manifests=$((manifests + 1))
  if ! jq -e --arg id "$at" --arg p "$pipeline" '.snapshot == $id and .pipeline == $p' "$file" >/dev/null 2>&1; then
    differs "$file" "the manifest cannot be read, or is of another snapshot" "$pipeline $at" "$(jq -r '"\(.pipeline) \(.snapshot)"' "$file" 2>/dev/null)"; break
  fi
  seen="$seen$at "
  before=$(jq -r '.parent.snapshot // ""' "$file"); [ -n "$before" ] || break
  case $before in *[!0-9.-]*) differs "$file" "its parent has no snapshot's name" "such as 2026-11-29.1" "$before"; break;; esac
  case $seen in *" $before "*) differs "$file" "the chain of parents is a circle" "an older snapshot" "$before"; break;; esac
  parent=$(manifest_of "$before")
  same "$parent" "it is not the manifest that $at names as its parent" "$(jq -r .parent.manifest_sha256 "$file")"
  [ -f "$parent" ] || break
  at=$before
done

# The files of the snapshot. Of one that retention removed, only the manifest is left.
signature=$manifest.minisig
[ "$manifest" = "removed/$id.json" ] || {
  folder=snapshots/$id sums=snapshots/$id/SHA256SUMS
  listed=$(contents "$manifest" 2>/dev/null)
  [ ! -f "$signature" ] || signed=1
  wanted=$( { echo "$listed" | sed -n 's/^\([0-9a-f]*\) [0-9]* /\1  /p'
    digest "$manifest" | sed 's/-$/manifest.json/'; [ -z "${signed-}" ] || digest "$signature" | sed 's/-$/manifest.json.minisig/'; } | sort -k 2)
  if [ "$(jq 'has("files")' "$manifest" 2>/dev/null)" = true ]; then
    if [ ! -f "$sums" ]; then differs "$sums" "the list of digests is missing" "a file" "no file"
    elif ! echo "$wanted" | cmp -s - "$sums"; then
      differs "$sums" "it, or a file that it lists, was changed; the lines that differ:" "
$(echo "$wanted" | grep -vxFf "$sums")" "
$(echo "$wanted" | grep -vxF -f - "$sums")"
    fi
  else # an older manifest: SHA256SUMS alone tells of files that are no marts
    wanted=$(cat "$sums")
    listed=$(while read -r sum name; do [ "$name" = manifest.json ] || echo "$sum $(wc -c <"$folder/$name") $name"; done <"$sums")
    same "$manifest" "SHA256SUMS tells another digest" "$(sed -n 's/  manifest.json$//p' "$sums")"
  fi
  while read -r sum bytes name; do
    [ -n "$sum" ] || continue
    case /$name/ in */../*|*//*) differs "$manifest" "it names a file outside of its folder" "a name" "$name"; continue;; esac
    files=$((files + 1))
    same "$folder/$name" "it was changed after it was written" "$sum"
    [ ! -f "$folder/$name" ] || [ "$(wc -c <"$folder/$name")" -eq "$bytes" ] || differs "$folder/$name" "its size differs" "$bytes" "$(wc -c <"$folder/$name")"
  done <<EOF
$listed
EOF
  while read -r there; do
    [ "$there" = ./SHA256SUMS ] || echo "$wanted" | cut -c67- | grep -qxF "${there#./}" || differs "$folder/${there#./}" "the manifest does not name it" "no file" "a file"
  done <<EOF
$(cd "$folder" && find . -type f)
EOF

  # The raw bytes that it stands on.
  while read -r sum bytes; do
    [ -n "$sum" ] || continue
    file=archive/sha256/${sum%"${sum#??}"}/$sum raws=$((raws + 1))
    if [ -n "$raw" ] || [ ! -f "$file" ]; then same "$file" "a raw file is missing or was changed" "$sum"
    elif [ "$(wc -c <"$file")" -ne "$bytes" ]; then differs "$file" "the size of a raw file differs" "$bytes bytes" "$(wc -c <"$file") bytes"; fi
  done <<EOF
$(pins "$manifest" 2>/dev/null)
EOF
}

# The signature.
by="not signed"
[ ! -f "$signature" ] || by="signed, but no public key was given"
if [ -n "$key" ]; then
  [ ! -f "$OLDPWD/$key" ] || key=$(tail -n 1 "$OLDPWD/$key")
  [ ! -f "$key" ] || key=$(tail -n 1 "$key")
  if said=$(minisign -V -Q -P "$key" -m "$manifest" -x "$signature" 2>&1) &&
    [ "$said" = "tamiz manifest of $pipeline $id" ]; then by="signed by $key"
  else differs "$signature" "it is no signature of $manifest by $key" "tamiz manifest of $pipeline $id" "$said"; fi
fi

echo "$pipeline $id: $files files, $manifests manifests back to the first, $raws raw files${raw:+ read}; $by"
[ $wrong -eq 0 ] || { echo "$wrong differences"; exit 3; }
echo "each is what it was when it was published"
