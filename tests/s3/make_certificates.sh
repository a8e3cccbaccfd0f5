#!/bin/sh
# make_certificates.sh FOLDER: what the tests of TLS need, made anew. FOLDER, which is new, gets
#
#     ca.pem                          an authority, which signs the three next ones
#     good.pem, good.key              for localhost and 127.0.0.1
#     other_host.pem, other_host.key  for another host
#     expired.pem, expired.key        for localhost and 127.0.0.1, until yesterday
#     stranger.pem                    an authority that has signed none
set -eu

mkdir "${1:?the folder}"
cd "$1"

authority() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj "/CN=akidb tests, $1" -keyout "$1.key" -out "$1.pem"
}

certificate() { # NAME DAYS ALTERNATIVE-NAMES
    echo "subjectAltName=$3" >"$1.extensions"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout "$1.key" -out "$1.request"
    openssl x509 -req -in "$1.request" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$2" \
        -extfile "$1.extensions" -out "$1.pem"
}

make_all() {
    authority ca
    authority stranger
    certificate good 2 DNS:localhost,IP:127.0.0.1
    certificate other_host 2 DNS:elsewhere.example
    certificate expired -1 DNS:localhost,IP:127.0.0.1
}
make_all >output 2>&1 || {
    cat output >&2
    exit 1
}
