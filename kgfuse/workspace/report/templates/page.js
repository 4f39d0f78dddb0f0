"use strict";
for (const chain of document.querySelectorAll("[data-chain]")) {
  const light = (keys, on) => {
    for (const part of chain.querySelectorAll("[data-keys]"))
      if (part.dataset.keys.split(" ").some((key) => keys.includes(key))) part.classList.toggle("lit", on);
  };
  for (const part of chain.querySelectorAll("[data-keys]")) {
    part.addEventListener("mouseenter", () => light(part.dataset.keys.split(" "), true));
    part.addEventListener("mouseleave", () => light(part.dataset.keys.split(" "), false));
  }
  for (const audio of chain.querySelectorAll("audio")) {
    const spoken = JSON.parse(audio.dataset.spoken);
    const second = audio.closest("figure").querySelector("output");
    const follow = () => {
      second.textContent = `${(Number(audio.dataset.start) + audio.currentTime).toFixed(2)} s`;
      if (!audio.played.length) return;
      const now = spoken.filter((s) => audio.currentTime >= s.from && audio.currentTime <= s.to).map((s) => s.keys);
      light(spoken.map((s) => s.keys).filter((key) => !now.includes(key)), false);
      light(now, true);
    };
    const place = () => { audio.currentTime = Number(audio.dataset.at); follow(); };
    if (audio.readyState > 0) place(); else audio.addEventListener("loadedmetadata", place, { once: true });
    audio.addEventListener("timeupdate", follow);
    audio.addEventListener("ended", () => light(spoken.map((s) => s.keys), false));
  }
}
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
