// The address of the websocket is that of the page, however the page was reached (a forwarded port has another number).
(() => {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  document.getElementById("terminal").dataset.sessionWebsocketUrl = `${scheme}//${location.host}/ws`;
})();

// Keys work at once, without a click. The terminal is made by a handler that runs after this one.
const focusTerminal = () => document.querySelector(".xterm-helper-textarea")?.focus();
addEventListener("load", () => setTimeout(focusTerminal));
addEventListener("focus", focusTerminal);
