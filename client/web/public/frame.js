// Writes the artifact that the page around it sends, once, into this frame. The frame is sandboxed: it has no origin, no
// cookies, no storage and no way into the page, and the server's policy for frame.html lets it ask for no data.
"use strict";

(() => {
  if (window.parent === window) return;
  const write = (event) => {
    if (event.source !== window.parent || typeof event.data?.html !== "string") return;
    window.removeEventListener("message", write);
    document.open();
    document.write(event.data.html);
    document.close();
  };
  window.addEventListener("message", write);
})();
