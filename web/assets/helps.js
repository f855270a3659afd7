// What little helps with pages; all of them work without it.
"use strict";

// A slider's number beside it; a form of sliders is sent by itself once one was let go.
for (const slider of document.querySelectorAll("input[type=range]")) {
  const told = slider.parentElement.querySelector("output");
  slider.addEventListener("input", () => { if (told) told.value = slider.value; });
  slider.addEventListener("change", () => slider.form.requestSubmit());
}

// Progress: the server says that something changed, and the page is read again. What somebody is
// writing in a form stays; the server ends the stream by itself.
const live = document.querySelector("[data-live]");
if (live && window.EventSource) {
  const source = new EventSource(live.dataset.live);
  let busy = false;
  let again = false;
  const renew = async () => {
    again = busy;
    if (busy) return;
    busy = true;
    try {
      const answer = await fetch(location.href, { redirect: "error" });
      if (!answer.ok) { source.close(); return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-part]")) {
        const fresh = page.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
        if (fresh) part.replaceWith(document.adoptNode(fresh));
      }
    } catch { source.close(); } finally { busy = false; }
    // Something changed while the page was read.
    if (again) renew();
  };
  source.addEventListener("changed", renew);
  source.addEventListener("end", () => { source.close(); renew(); });
}
