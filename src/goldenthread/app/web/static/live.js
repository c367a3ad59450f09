// Keeps a page as it would be if it were loaded now. Without script a page stays as it was loaded.
"use strict";
const news = document.querySelector(".news");
const shown = document.getElementById("content");
let seen = document.body.dataset.seen;
let source = null;
let renewing = false;

function offer() {
  if (news.firstChild) return;
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "New: reload";
  news.append(link);
}

// What a person works in stays: a form, what has the focus, what is marked.
function isInUse(part) {
  const marked = getSelection();
  return part.querySelector("form") !== null || part.contains(document.activeElement)
    || (!marked.isCollapsed && marked.containsNode(part, true));
}

function replace(fresh) {
  const old = [...shown.children];
  const parts = [...fresh.children];
  if (old.length !== parts.length) {
    if (old.some(isInUse)) offer();
    else shown.replaceChildren(...parts);
    return;
  }
  old.forEach((part, place) => {
    if (part.isEqualNode(parts[place])) return;
    if (isInUse(part)) offer();
    else part.replaceWith(parts[place]);
  });
}

async function renew() {
  const answer = await fetch(location.href);
  if (answer.redirected) { // to the login
    location.reload();
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  replace(fresh.getElementById("content"));
  document.title = fresh.title;
}

// A page that takes long is asked for seldom: a run beside it needs the machine, too.
async function follow() {
  if (renewing) return;
  renewing = true;
  for (let mark = ""; mark !== seen;) {
    mark = seen;
    const begun = performance.now();
    try {
      await renew();
    } catch {
      mark = seen = ""; // nobody answers: the first word of the next connection is news
    }
    await new Promise((done) => setTimeout(done, 4 * (performance.now() - begun)));
  }
  renewing = false;
}

function listen() {
  if (document.hidden) {
    source?.close(); // a browser holds few connections to one place, tabs may be many
    source = null;
  } else if (source === null) {
    source = new EventSource("/live");
    source.onmessage = (event) => {
      if (event.lastEventId === seen) return;
      seen = event.lastEventId;
      follow();
    };
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) offer(); };
  }
}

document.addEventListener("visibilitychange", listen);
listen();
