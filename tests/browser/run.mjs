// Walks every page that a role is led to, in both languages, on a desk and on a phone, and fails on what
// look.mjs finds. Pictures land in a folder.
//
//   node run.mjs SITE FOLDER       accounts as JSON on standard input: {"administrator": {name, password}, "auditor": …}
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, signIn } from "./browser.mjs";
import { accessible, inspect, weigh } from "./look.mjs";
import { tasks } from "./tasks.mjs";

const [site, folder] = process.argv.slice(2);
const accounts = JSON.parse(readFileSync(0, "utf8"));
mkdirSync(folder, { recursive: true });

const HEAVIEST = 350 * 1024;
const SLOWEST = 1000;
const WINDOWS = [
  { name: "desk", width: 1366, height: 768 },
  { name: "phone", width: 390, height: 844 },
];
// Of pages of one kind so many are looked at.
const EACH = 2;

let looked = 0;
const faults = [];
const measured = [];
const fault = (where, what) => { faults.push(`${where}: ${what}`); console.log(`FAULT ${where}: ${what}`); };

const kind = (path) => path.split("?")[0].split("/").map((part) => (/\d/.test(part) ? "x" : part)).join("/");

// The paths that pages lead to, from the first on, some of each kind.
async function paths(page) {
  const found = ["/"];
  const seen = new Map([["/", 1]]);
  for (const path of found) {
    await page.goto(site + path, { waitUntil: "load" });
    const links = await page.evaluate(() => [...document.querySelectorAll("main a[href], nav a[href]")].map((one) => one.getAttribute("href")));
    for (const link of links.map((one) => one.split("#")[0])) {
      if (!link.startsWith("/") || /[?&](csv|xlsx|lang|from|sort)=/.test(link) || found.includes(link)) continue;
      const of = kind(link) + (link.includes("?") ? "?" : "");
      const count = seen.get(of) ?? 0;
      if (count >= EACH) continue;
      seen.set(of, count + 1);
      found.push(link);
    }
  }
  return found;
}

const label = (path) => (path === "/" ? "cockpit" : path.slice(1).replace(/[^A-Za-z0-9]+/g, "-").slice(0, 60));

async function walk(browser, role, language, window_) {
  const { context, page, notes } = await signIn(browser, site, accounts[role], language);
  await page.setViewport({ width: window_.width, height: window_.height });
  const all = await paths(page);
  notes.length = 0;
  for (const path of all) {
    const where = `${path} (${language}, ${window_.name})`;
    const { status, bytes, paint } = await weigh(page, site + path);
    looked += 1;
    if (status >= 400) fault(where, `status ${status}`);
    measured.push({ path, language, window: window_.name, bytes, paint });
    if (bytes > HEAVIEST) fault(where, `${Math.round(bytes / 1024)} KiB`);
    if (paint === null || paint > SLOWEST) fault(where, `first paint after ${paint} ms`);
    await page.screenshot({ path: join(folder, `${label(path)}.${language}.${window_.name}.png`), fullPage: true });
    for (const what of await inspect(page, language)) fault(where, what);
    if (window_.name === "desk" || language === "en") for (const what of await accessible(page)) fault(where, what);
    for (const note of notes.splice(0)) fault(where, note);
  }
  await context.close();
  return all;
}

// Without script a page has its plain charts, tables and forms.
async function unscripted(browser) {
  const { context, page } = await signIn(browser, site, accounts.auditor, "en");
  await page.setJavaScriptEnabled(false);
  for (const path of await paths(page)) {
    await page.goto(site + path, { waitUntil: "load" });
    looked += 1;
    const plain = await page.$$eval(".plot", (all) => all.filter((one) => !one.querySelector(".plain svg") || one.querySelector(".plain").hidden).length);
    if (plain) fault(path, `${plain} charts are missing without script`);
    if (!(await page.$("h1"))) fault(path, "no heading without script");
  }
  await context.close();
}

const browser = await open();
try {
  const signed = await browser.newPage();
  for (const language of ["en", "zh-CN"]) {
    for (const window_ of WINDOWS) {
      await signed.setViewport({ width: window_.width, height: window_.height });
      const { bytes, paint } = await weigh(signed, `${site}/sign-in?lang=${language}`);
      measured.push({ path: "/sign-in", language, window: window_.name, bytes, paint });
      await signed.screenshot({ path: join(folder, `sign-in.${language}.${window_.name}.png`), fullPage: true });
      for (const what of [...await inspect(signed, language), ...await accessible(signed)]) fault(`/sign-in (${language})`, what);
      looked += 1;
      const all = await walk(browser, "administrator", language, window_);
      if (language === "en" && window_.name === "desk") console.log(`${all.length} pages: ${all.join(" ")}`);
    }
  }
  await unscripted(browser);
  for (const done of await tasks(browser, site, accounts, folder, fault)) console.log(`task: ${done}`);
} finally {
  await browser.close();
}
writeFileSync(join(folder, "measured.json"), JSON.stringify(measured, null, 1));
const most = (of) => measured.reduce((a, b) => ((b[of] ?? 0) > (a[of] ?? 0) ? b : a));
const heavy = most("bytes");
const slow = most("paint");
console.log(`heaviest ${Math.round(heavy.bytes / 1024)} KiB (${heavy.path}), slowest first paint ${Math.round(slow.paint)} ms (${slow.path})`);
console.log(`${looked} looked at, ${faults.length} faults`);
process.exitCode = faults.length ? 1 : 0;
