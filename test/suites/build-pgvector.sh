#!/usr/bin/env bash
# Builds pgvector for the PostgreSQL of Debian into a folder of its own, beside which servers of the tests find it: nothing
# of the machine is changed. `build-pgvector.sh FOLDER`; needs gcc, curl and the network.
set -euo pipefail

readonly TARGET="$1" VERSION=0.8.0
# Of the mirror that this machine takes its packages from.
readonly MIRROR="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$')"
readonly ARCHIVE="${MIRROR}pool/main/p/pgvector/pgvector_$VERSION.orig.tar.gz"
readonly SHA256=867a2c328d4928a5a9d6f052cd3bc78c7d60228a9b914ad32aa3db88e9de27b0
readonly BIN="$(printf '%s\n' /usr/lib/postgresql/*/bin | sort | tail -n 1)"
readonly MAJOR="$(basename "$(dirname "$BIN")")"
readonly WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT

cd "$WORK"
curl -fsS --max-time 60 -o pgvector.tar.gz "$ARCHIVE"
echo "$SHA256  pgvector.tar.gz" | sha256sum --check --quiet
# The headers alone: to install the package would bring a compiler of its own, and another server with it.
apt-get download -qq "postgresql-server-dev-$MAJOR" >&2
dpkg -x postgresql-server-dev-*.deb headers
tar -xzf pgvector.tar.gz
cd "pgvector-$VERSION"
gcc -O2 -ftree-vectorize -fassociative-math -fno-signed-zeros -fno-trapping-math -fPIC -shared -o vector.so src/*.c \
  -I "../headers/usr/include/postgresql/$MAJOR/server" -I /usr/include/postgresql
readonly LIB="$TARGET/usr/lib/postgresql/$MAJOR/lib" SHARE="$TARGET/usr/share/postgresql/$MAJOR/extension"
mkdir -p "$LIB" "$SHARE"
cp vector.so "$LIB/"
cp vector.control "$SHARE/"
cp sql/vector.sql "$SHARE/vector--$VERSION.sql"
# The server does not run as root.
chmod -R a+rX "$TARGET"
