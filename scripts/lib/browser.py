"""A headless Chromium, spoken to over a pipe in its DevTools protocol; nothing but the standard library and the browser.

    with Browser() as browser:
        tab = browser.open("file:///tmp/report.html", width=1280, height=900)
        tab.run("document.title")
        tab.picture("page.png")

A tab remembers what the page asked for, what it wrote to its console, and what went wrong in it.
"""

import base64
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
PLACES = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"]


def find() -> str | None:
    """The path of a Chromium: the one that CHROMIUM names, or the first on the PATH."""
    named = os.environ.get("CHROMIUM")
    found = [shutil.which(name) for name in ([named] if named else NAMES)] + [place for place in PLACES if os.path.exists(place)]
    return next((path for path in found if path), None)


class Browser:
    """A browser with a profile of its own, which is gone when it ends."""

    def __init__(self, seconds: float = 60.0):
        self.seconds = seconds
        self.number = 0
        self.tabs: dict[str, Tab] = {}

    def __enter__(self):
        program = find()
        if program is None:
            raise FileNotFoundError("no Chromium: install one, or name it in CHROMIUM")
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        from_us, self.to = os.pipe()
        self.of, to_us = os.pipe()
        # The browser reads the protocol from file 3 and answers on 4, whatever numbers the pipes have here.
        os.set_inheritable(from_us, True)
        os.set_inheritable(to_us, True)
        switches = ["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--hide-scrollbars",
                    "--disable-gpu", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
                    "--disable-sync", "--force-color-profile=srgb", f"--user-data-dir={self.profile.name}"]
        if os.geteuid() == 0:
            switches.append("--no-sandbox")
        line = f'exec "$0" "$@" 3<&{from_us} 4>&{to_us}'
        self.process = subprocess.Popen(
            ["bash", "-c", line, program, *switches, "about:blank"],
            pass_fds=[from_us, to_us], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        os.close(from_us)
        os.close(to_us)
        self.rest = b""
        self.version = self.ask("Browser.getVersion")["product"]
        return self

    def __exit__(self, *_):
        try:
            self.ask("Browser.close", seconds=5)
            self.process.wait(10)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.to)
        os.close(self.of)
        self.profile.cleanup()

    def ask(self, method, session=None, seconds=None, **parameters):
        """Sends a command and waits for its answer; what happens meanwhile goes to the tabs."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        until = time.monotonic() + (seconds or self.seconds)
        while True:
            answer = self.read(until)
            if answer is None:
                raise RuntimeError(f"no answer to {method} within {seconds or self.seconds:.0f} s")
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def read(self, until):
        """The next message; events are handed to their tab on the way. None when the time is over."""
        while b"\0" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.of], [], [], left)[0]:
                return None
            piece = os.read(self.of, 1 << 20)
            if not piece:
                raise RuntimeError("the browser ended")
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        if "method" in message and message.get("sessionId") in self.tabs:
            self.tabs[message["sessionId"]].take(message["method"], message["params"])
        return message

    def open(self, url, width=1280, height=900, dark=False, scripts=True, scale=1.0, until="load"):
        """A page in a new tab, loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self.tabs[session] = Tab(self, session, target)
        for area in ["Page", "Runtime", "Network", "Log"]:
            tab.ask(f"{area}.enable")
        tab.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)
        tab.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        tab.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        tab.go(url)
        return tab


class Tab:
    """A page: what it did, and what can be done to it."""

    def __init__(self, browser, session, target):
        self.browser, self.session, self.target = browser, session, target
        self.requests, self.problems, self.is_loaded = [], [], False

    def ask(self, method, **parameters):
        return self.browser.ask(method, session=self.session, **parameters)

    def take(self, method, event):
        if method == "Page.loadEventFired":
            self.is_loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
            self.problems.append(" ".join(str(held.get("value", held.get("description"))) for held in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            self.problems.append(event["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.problems.append(f"a dialog: {event['message']}")
            # Not through `ask`: that would read on inside a reading.
            message = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}, "sessionId": self.session}
            os.write(self.browser.to, json.dumps(message).encode() + b"\0")

    def go(self, url):
        """Loads a page; the seconds until its load event."""
        self.requests, self.problems, self.is_loaded = [], [], False
        start = time.monotonic()
        self.ask("Page.navigate", url=url)
        while not self.is_loaded:
            if self.browser.read(start + self.browser.seconds) is None:
                raise RuntimeError(f"{url} did not load within {self.browser.seconds:.0f} s")
        return time.monotonic() - start

    def run(self, script):
        """The value of an expression in the page; a promise's, when it has one."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(f"{script}: {details.get('exception', {}).get('description') or details['text']}")
        return answer["result"].get("value")

    def settle(self):
        """Waits until the page has drawn two frames and has nothing to do."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => requestIdleCallback(done))))")

    def press(self, key, code=None, text=None, modifiers=0):
        """One key, down and up: "Tab", "Enter", "Escape", or a letter."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, " ": 32}
        text = text if text is not None else {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        fields = {"key": key, "code": code or key, "windowsVirtualKeyCode": codes.get(key, 0), "modifiers": modifiers}
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **fields)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **fields)

    def mouse(self, kind, x, y, buttons=0):
        button = "left" if buttons or kind == "mouseReleased" else "none"
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=buttons, clickCount=int(kind != "mouseMoved"))

    def click(self, x, y):
        for kind, buttons in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)]:
            self.mouse(kind, x, y, buttons)

    def drag(self, start, end):
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, 1)
        for step in range(1, 6):
            self.mouse("mouseMoved", *(a + (b - a) * step / 5 for a, b in zip(start, end)), 1)
        self.mouse("mouseReleased", *end)

    def picture(self, path, is_whole=False):
        """A PNG of the window, or of the whole page."""
        extent = {}
        if is_whole:
            size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
            extent = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}}
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=is_whole, **extent)
        pathlib.Path(path).write_bytes(base64.b64decode(answer["data"]))

    def close(self):
        self.browser.ask("Target.closeTarget", targetId=self.target)
        self.browser.tabs.pop(self.session)
