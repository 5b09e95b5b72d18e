#!/bin/sh
# Makes the certificates of the test of trust: an authority's, and a server's on this machine that it signed.
set -e
cd "$(dirname "$0")"
openssl ecparam -name prime256v1 -genkey -noout -out authority.key
openssl req -x509 -new -key authority.key -sha256 -days 36500 -subj "/CN=mnist-study test authority" -out ca.pem \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out server.key
openssl req -new -key server.key -subj "/CN=localhost" -out server.csr
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey authority.key -CAcreateserial -days 36500 -sha256 -extfile server.ext -out server.pem
rm -f authority.key server.csr server.ext ca.srl
