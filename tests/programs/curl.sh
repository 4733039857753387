# curl: its version line, a file URL, a server on loopback.
set -e
cd /tmp; curl --version | head -1 | cut -d' ' -f1-2; echo content > f; curl -s file:///tmp/f; curl -s http://127.0.0.1:1/ || echo "refused $?"
python3 -m http.server -b 127.0.0.1 18431 > /dev/null 2>&1 & sleep 3; curl -s --retry 5 --retry-connrefused http://127.0.0.1:18431/f; kill $!; wait $! 2>/dev/null || true; curl -s https://localhost:1/ || echo "tls $?"
