#!/bin/sh
# SPDX-License-Identifier: MIT
# Certificates to try the example with, in certificates/; nobody else believes them.
set -e
mkdir -p certificates
cd certificates

# certificate NAME HOST [AUTHORITY]: NAME.crt and NAME.key for HOST, signed by AUTHORITY or by itself
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout "$1.key" -out "$1.crt" \
        -subj "/CN=$2" -addext "subjectAltName=DNS:$2" ${3:+-CA "$3.crt" -CAkey "$3.key"} 2>/dev/null
}

certificate api api.suoke.test
certificate wildcard '*.suoke.test'
certificate devices-ca devices
certificate device watch-7.devices.test devices-ca
certificate internal-ca internal
certificate users users.internal internal-ca
certificate gateway gateway.internal internal-ca
