# openssl: digests, ciphers, keys, signatures; the speed test runs.
set -e
cd /tmp; head -c 300000 /dev/zero | tr '\0' 'q' > f
for d in md5 sha1 sha224 sha256 sha384 sha512 sha3-256 sha3-512 blake2b512 blake2s256 sm3; do openssl dgst -$d f; done
for c in aes-128-cbc aes-256-ctr aes-256-gcm chacha20 camellia-128-cbc; do case $c in *gcm) continue ;; esac; openssl enc -$c -K 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -iv 000102030405060708090a0b0c0d0e0f -in f 2>/dev/null | md5sum; done
openssl prime 18446744073709551557; openssl genrsa -out k 1024 2>/dev/null; openssl rsa -in k -pubout -out p 2>/dev/null; openssl dgst -sha256 -sign k -out s f; openssl dgst -sha256 -verify p -signature s f
openssl ecparam -name prime256v1 -genkey -noout -out e; openssl ec -in e -pubout -out ep 2>/dev/null; openssl dgst -sha256 -sign e -out s f; openssl dgst -sha256 -verify ep -signature s f
openssl genpkey -algorithm ed25519 -out d; openssl pkeyutl -sign -inkey d -rawin -in k -out s; openssl pkeyutl -verify -inkey d -rawin -in k -sigfile s
openssl speed -seconds 1 -bytes 1024 sha256 aes-128-cbc 2>/dev/null | wc -l > /dev/null; echo speed ran; echo text | openssl base64; openssl rand 10 | wc -c
