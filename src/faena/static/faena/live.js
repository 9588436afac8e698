// Live parts: an element with data-poll is fetched again when the live channel says that something changed and, where
// there is no channel, every so many milliseconds. Nothing is fetched while nobody sees the page.
(() => {
  // Milliseconds: between two fetches; between two for a part that hears of no change, unless it says data-net itself.
  const REST = 500, NET = 15_000;
  // The server says something every 25 s at least; a connection that is silent for longer is none any more.
  const SILENCE = 60_000;
  const FIRST_PAUSE = 1_000, LONGEST_PAUSE = 60_000;
  // The job is gone, or we may not look any more: there is nothing to try again.
  const VIOLATION = 1008;

  let address = document.body.dataset.live;
  let socket = null, isHeard = false, heard = 0, nextTry = 0, pause = FIRST_PAUSE;
  let isResting = false;
  const asked = new WeakMap();
  const wanted = new Set();
  const parts = () => document.querySelectorAll("[data-poll]");

  const fetchWanted = () => {
    if (document.hidden || isResting || !wanted.size) return;
    isResting = true;
    setTimeout(() => { isResting = false; fetchWanted(); }, REST);
    for (const part of wanted) {
      asked.set(part, performance.now());
      part.dispatchEvent(new CustomEvent("poll"));
    }
    wanted.clear();
  };
  const want = (isConcerned = () => true) => {
    for (const part of parts()) if (isConcerned(part)) wanted.add(part);
    fetchWanted();
  };

  const connect = () => {
    const url = new URL(address, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    heard = performance.now();
    socket.onmessage = (event) => {
      const { type, what } = JSON.parse(event.data);
      heard = performance.now();
      isHeard = true;
      pause = FIRST_PAUSE;
      if (type === "heartbeat") return;
      // What changed between the page and its channel was told to nobody: the first message concerns every part.
      want((part) => !what?.length || !part.dataset.hears || what.some((each) => part.dataset.hears.includes(each)));
    };
    socket.onclose = (event) => {
      socket = null;
      isHeard = false;
      if (event.code === VIOLATION) address = undefined;
      nextTry = performance.now() + pause * (1 + Math.random() / 4);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    };
  };

  const beat = () => {
    if (document.hidden) return;
    const now = performance.now();
    const live = parts();
    if (socket && now - heard > SILENCE) socket.close();
    if (address && live.length && !socket && now >= nextTry) connect();
    for (const part of live) {
      if (!asked.has(part)) asked.set(part, now);
      const every = Number(isHeard ? part.dataset.net ?? NET : part.dataset.poll);
      if (now - asked.get(part) >= every) wanted.add(part);
    }
    fetchWanted();
  };
  setInterval(beat, 250);
  document.addEventListener("visibilitychange", () => want());
  beat();

  // A job that was deleted while somebody watched: stop asking.
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 404) event.detail.target.removeAttribute("data-poll");
  });
})();
