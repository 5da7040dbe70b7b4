"use strict";
// The server renders the figures. Here they are only exchanged, so that both ways of reading the page agree.
async function refresh() {
  const stale = document.getElementById("stale");
  try {
    const response = await fetch("/", { cache: "no-store" });
    if (!response.ok) throw new Error(response.statusText);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.getElementById("live").replaceChildren(...page.getElementById("live").children);
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
  setTimeout(refresh, 2000);
}
setTimeout(refresh, 2000);
