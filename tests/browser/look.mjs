// What is wrong with a page that stands in the browser.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Runs in the page: sideways scrolling, keys without words, identifiers where words belong, charts that
// were not drawn.
function look(language) {
  const found = [];
  // The letter is of both languages, as it is signed.
  const both = !document.querySelector("main");
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1 && !one.closest(".wide"));
    found.push(`wider than the window by ${root.scrollWidth - root.clientWidth} px: ${wide.slice(0, 3).map((one) => `${one.tagName}.${one.className}`).join(" ")}`);
  }
  const texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const at = walk.currentNode.parentElement;
    const text = walk.currentNode.textContent.trim();
    if (text && at && !at.closest("script, style, svg, code, dl")) texts.push([at, text]);
  }
  for (const [, text] of texts) {
    if (/[⟦⟧]|undefined|\bNaN\b|\[object/.test(text)) found.push(`no words: ${text.slice(0, 80)}`);
    // Names inside the program, such as two_way_referral or CostIndex.
    if (/^[a-z]+(_[a-z0-9]+)+$/.test(text) || /^[A-Z][a-z]+([A-Z][a-z]+)+$/.test(text)) found.push(`a name of the program: ${text}`);
  }
  if (both) {
    // As it is.
  } else if (language === "en") {
    const own = texts.filter(([at, text]) => /\p{Script=Han}/u.test(text) && !at.closest("td, [lang]:not(html)"));
    for (const [, text] of own.slice(0, 5)) found.push(`Chinese on an English page: ${text.slice(0, 60)}`);
  } else {
    // Whole English sentences; names and codes are of both languages, and cells hold what people wrote.
    const own = texts.filter(([at, text]) => /([A-Za-z]{2,}[ ,]+){4}/.test(text) && !at.closest("td, [lang]:not(html), footer"));
    for (const [, text] of own.slice(0, 5)) found.push(`English on a Chinese page: ${text.slice(0, 60)}`);
  }
  // Identifiers of rules and fields where only words belong; cells also hold names of people and rounds.
  const worded = [...document.querySelectorAll("th, label > span, h1 ~ *:not(div) li, h2, h3, legend, option, figure svg text")];
  for (const one of worded) {
    const text = one.textContent.trim();
    if (/^[a-z]+(-[a-z]+)+$/.test(text)) found.push(`an identifier without words: ${text}`);
  }
  for (const row of document.querySelectorAll("#groups tbody tr")) {
    const [code, name] = [...row.cells].map((cell) => cell.textContent.trim());
    if (code && code === name && code !== "other") found.push(`a code without a name: ${code}`);
  }
  const plots = [...document.querySelectorAll("[data-plot]")].filter((one) => JSON.parse(one.dataset.plot).rows.length);
  const drawn = plots.filter((one) => one.classList.contains("drawn") && one.querySelector("svg path"));
  if (drawn.length !== plots.length) found.push(`${plots.length - drawn.length} of ${plots.length} charts are not drawn`);
  const named = new Set();
  for (const one of document.querySelectorAll("[id]")) {
    if (named.has(one.id)) found.push(`two elements are called ${one.id}`);
    named.add(one.id);
  }
  return found;
}

export async function inspect(page, language) {
  return page.evaluate(look, language);
}

// Serious and critical findings of axe, by the rules of WCAG 2.2 AA.
export async function accessible(page) {
  await page.evaluate(AXE);
  const result = await page.evaluate(() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
  }));
  const bad = result.violations.filter((one) => ["serious", "critical"].includes(one.impact));
  return bad.map((one) => `axe ${one.id} (${one.impact}): ${one.nodes.slice(0, 2).map((node) => `${node.target} ${node.failureSummary?.split("\n")[1]?.trim() ?? ""}`).join("; ")}`);
}

// Bytes that came over the line for a page that is opened for the first time, and its first paint.
export async function weigh(page, address) {
  const line = await page.createCDPSession();
  await line.send("Network.enable");
  await line.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  line.on("Network.loadingFinished", (one) => { bytes += one.encodedDataLength; });
  const answer = await page.goto(address, { waitUntil: "load" });
  const paint = await page.evaluate(() => new Promise((told) => {
    const tell = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    const ask = (left) => (tell() !== undefined || left === 0 ? told(tell() ?? null) : setTimeout(ask, 50, left - 1));
    ask(100);
  }));
  await line.send("Network.setCacheDisabled", { cacheDisabled: false });
  await line.detach();
  return { status: answer.status(), bytes, paint };
}
