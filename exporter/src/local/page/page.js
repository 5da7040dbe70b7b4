"use strict";
// The server renders the figures. Here they are only exchanged, so that both ways of reading the page agree.

const EVERY = 2000;
const PARTS = ["top", "tables", "health"];

// Makes `node` what `wanted` is and touches only what differs: nothing flickers, and selections, scroll positions and
// the keyboard's focus stay where they are.
function morph(node, wanted) {
  if (node.nodeName !== wanted.nodeName) return node.replaceWith(wanted.cloneNode(true));
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  const [have, want] = [[...node.childNodes], [...wanted.childNodes]];
  want.forEach((child, i) => (i < have.length ? morph(have[i], child) : node.append(child.cloneNode(true))));
  have.slice(want.length).forEach((child) => child.remove());
}

async function get(path) {
  const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(5 * EVERY) });
  if (!response.ok) throw new Error(response.statusText);
  return response;
}

async function refresh() {
  const stale = document.getElementById("stale");
  try {
    const [page, history] = await Promise.all([
      get("/").then((response) => response.text()),
      get("/api/history.json").then((response) => response.json()),
    ]);
    const wanted = new DOMParser().parseFromString(page, "text/html");
    for (const id of PARTS) morph(document.getElementById(id), wanted.getElementById(id));
    charts.show(history);
    stale.hidden = true;
  } catch (error) {
    console.debug(error);
    stale.hidden = false;
  }
  setTimeout(refresh, EVERY);
}

refresh();
