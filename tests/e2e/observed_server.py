"""Streamlit's command, and beside it an address that tells which threads are at work."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from streamlit.runtime import get_instance
from streamlit.web.cli import main


class Observer(BaseHTTPRequestHandler):
    """Answers with the names of this process's threads."""

    def do_POST(self) -> None:
        """Count a run of every session that none had, as a busy server does for a moment."""
        for info in get_instance()._session_mgr.list_active_sessions():
            info.script_run_count += 1
        self.do_GET()

    def do_GET(self) -> None:
        body = json.dumps([thread.name for thread in threading.enumerate()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    observer = ThreadingHTTPServer(("127.0.0.1", int(os.environ["OBSERVER_PORT"])), Observer)
    threading.Thread(target=observer.serve_forever, name="observer", daemon=True).start()
    main()
