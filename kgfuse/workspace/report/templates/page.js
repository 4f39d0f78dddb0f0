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
}
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
