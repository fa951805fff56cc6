"""Checks fcgi_load against a libfcgi application: load_check.py FCGI_LOAD LIBFCGI_HELLO"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import servers

FCGI_LOAD, LIBFCGI_HELLO = sys.argv[1:3]


class LoadCheck(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="viaduct-bench-")
        self.addCleanup(self.directory.cleanup)
        self.socket = os.path.join(self.directory.name, "hello.sock")

    def serve(self, processes=4):
        server = servers.Libfcgi(LIBFCGI_HELLO, self.directory.name, processes)
        self.addCleanup(server.stop)
        server.start()
        return server

    @staticmethod
    def signal_all(server, number):
        for pid in server.processes()["workers"]:
            os.kill(pid, number)

    def load(self, server, *arguments, body=servers.BODY):
        command = [FCGI_LOAD, server.address, "--connections", "4", "--warmup", "0",
                   "--body", body, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr

    def test_right_answers_are_no_failures(self):
        status, report, _ = self.load(self.serve(), "--seconds", "1")
        self.assertEqual(status, 0)
        self.assertEqual(report["failures"], 0)
        self.assertGreater(report["requests"], 100)
        self.assertGreaterEqual(report["answers"], report["requests"])
        self.assertGreater(report["p50_us"], 0)
        self.assertGreaterEqual(report["p99_us"], report["p50_us"])
        self.assertGreater(report["cpu_seconds"], 0)

    def test_unexpected_body_fails_every_answer(self):
        status, report, _ = self.load(self.serve(), "--seconds", "0.2", body="another body\n")
        self.assertEqual(status, 1)
        self.assertEqual(report["requests"], 0)
        self.assertGreater(report["failures"], 100)
        self.assertIn("body", report["first_failure"])

    def test_unexpected_status_fails_every_answer(self):
        status, report, _ = self.load(self.serve(), "--seconds", "0.2", "--status", "404")
        self.assertEqual(status, 1)
        self.assertEqual(report["answers"], 0)

    def test_silence_fails_what_was_in_flight(self):
        server = self.serve()
        stopper = threading.Timer(0.3, self.signal_all, (server, signal.SIGSTOP))
        stopper.start()
        self.addCleanup(stopper.join)
        status, report, _ = self.load(server, "--seconds", "1", "--timeout", "0.3")
        self.assertEqual(status, 1)
        self.assertEqual(report["failures"], 4)
        self.assertIn("timeout", report["first_failure"])

    def test_server_that_goes_away_is_said(self):
        server = self.serve()
        killer = threading.Timer(0.3, server.stop)
        killer.start()
        self.addCleanup(killer.join)
        status, _, errors = self.load(server, "--seconds", "5")
        self.assertEqual(status, 69)
        self.assertIn(server.address.removeprefix("unix:"), errors)

    def test_nobody_listening_is_said(self):
        server = servers.Libfcgi(LIBFCGI_HELLO, self.directory.name, 1)
        status, _, errors = self.load(server)
        self.assertEqual(status, 69)
        self.assertIn(server.address.removeprefix("unix:"), errors)

    def test_bad_usage_is_said(self):
        done = subprocess.run([FCGI_LOAD, "tcp:localhost:1", "--body", "x"], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 64)
        self.assertIn("unix:/path", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
