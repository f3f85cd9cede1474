// Joins a player with the charts of its page that have a time axis: a line in each of them moves
// with the sound, and a click in them plays from there. All of it happens in the browser.
const CLICK_PIXELS = 5;
const joined = new WeakMap();

export default function ({ data, parentElement }) {
  if (!joined.has(parentElement)) joined.set(parentElement, join(parentElement.ownerDocument));
  const link = joined.get(parentElement);
  link.follow(data);
  return () => {
    link.end();
    joined.delete(parentElement);
  };
}

function join(page) {
  const ended = new AbortController();
  const { signal } = ended;
  let data = null;
  let asked = null;
  let pressed = null;
  let frame = 0;

  const player = () => page.querySelector(`.st-key-${data.player} audio`);
  const charts = () =>
    [...page.querySelectorAll(".js-plotly-plot")].filter(
      (chart) => chart._fullLayout?.xaxis?.type === "date",
    );

  const draw = () => {
    frame = 0;
    const audio = player();
    if (!audio) return;
    const moved = audio.currentTime > 0 || !audio.paused;
    for (const chart of charts()) place(chart, moved ? audio.currentTime : NaN, data.origin_ms);
    if (!audio.paused) plan();
  };
  const plan = () => {
    frame ||= requestAnimationFrame(draw);
  };
  const play = (seconds) => {
    const audio = player();
    if (!audio) return;
    const start = () => {
      audio.currentTime = seconds;
      audio.play().catch(() => {}); // a browser that wants its own button pressed keeps the moment
      plan();
    };
    if (audio.readyState > 0) start();
    else audio.addEventListener("loadedmetadata", start, { once: true, signal });
  };

  const press = (event) => {
    const within = event.isPrimary && event.button === 0 && event.target.closest?.(".nsewdrag");
    pressed = within ? event : null;
  };
  const release = (event) => {
    const began = pressed;
    pressed = null;
    if (!began || event.pointerId !== began.pointerId) return;
    const moved = Math.hypot(event.clientX - began.clientX, event.clientY - began.clientY);
    const chart = began.target.closest(".js-plotly-plot");
    if (moved > CLICK_PIXELS || !charts().includes(chart)) return;
    const axis = chart._fullLayout.xaxis;
    const left = chart.getBoundingClientRect().left + axis._offset;
    play(Math.max(0, (axis.p2l(began.clientX - left) - data.origin_ms) / 1000));
  };
  page.addEventListener("pointerdown", press, { capture: true, signal });
  page.addEventListener("pointerup", release, { capture: true, signal });
  page.addEventListener("pointercancel", () => (pressed = null), { capture: true, signal });
  // Events of a player do not bubble, but can be caught on their way down.
  for (const name of ["play", "pause", "seeked", "timeupdate"])
    page.addEventListener(name, plan, { capture: true, signal });
  const redrawn = new MutationObserver(plan);
  redrawn.observe(page.body, { childList: true, subtree: true });

  return {
    follow(next) {
      data = next;
      // What was asked for before this page was opened is over.
      if (asked !== null && next.request !== asked && next.seconds !== null) play(next.seconds);
      asked = next.request;
      plan();
    },
    end() {
      ended.abort();
      redrawn.disconnect();
      cancelAnimationFrame(frame);
      page.querySelectorAll(".songnet-cursor").forEach((line) => line.remove());
    },
  };
}

function place(chart, seconds, originMs) {
  const axis = chart._fullLayout.xaxis;
  const frame = chart.querySelector(".svg-container");
  const x = axis.l2p(originMs + 1000 * seconds);
  let line = frame.querySelector(".songnet-cursor");
  if (!(x >= 0 && x <= axis._length)) {
    line?.remove();
    return;
  }
  if (!line) {
    line = document.createElement("div");
    line.className = "songnet-cursor";
    Object.assign(line.style, {
      position: "absolute",
      left: "0",
      width: "2px",
      background: "currentColor",
      boxShadow: "0 0 0 1px Canvas", // to be seen on pictures too
      pointerEvents: "none",
      zIndex: "5",
    });
    frame.append(line);
  }
  const { t, h } = chart._fullLayout._size;
  line.style.top = `${t}px`;
  line.style.height = `${h}px`;
  line.style.transform = `translateX(${axis._offset + x - 1}px)`;
}
