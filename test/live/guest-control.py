# Runs commands in a guest of user-mode Linux for a test: one TCP connection per command, its text in, its output and exit
# code out. Listens on the address given, inside the lab only.
import socketserver
import subprocess
import sys


class Command(socketserver.StreamRequestHandler):
    def handle(self):
        command = self.rfile.readline().decode()
        try:
            ran = subprocess.run(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=60,
            )
            output, code = ran.stdout, ran.returncode
        except subprocess.TimeoutExpired as error:
            output, code = (error.stdout or b"") + b"\ntimed out\n", 124
        self.wfile.write(output + b"\n%d" % code)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server((sys.argv[1], int(sys.argv[2])), Command) as server:
    print("guest: control", flush=True)
    server.serve_forever()
