// Walks every page that a role is led to, in both languages, on a desk and on a phone, and fails on what
// look.mjs finds. Pictures land in a folder.
//
//   node run.mjs SITE FOLDER       accounts as JSON on standard input: {"administrator": {name, password}, "auditor": …}
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, signIn } from "./browser.mjs";
import { tasks } from "./tasks.mjs";
import { LANGUAGES, WINDOWS, Walk, given } from "./walk.mjs";

const [site, folder] = process.argv.slice(2);
const accounts = given();
// Of pages of one kind so many are looked at.
const EACH = 2;

const walk = new Walk(folder);
const fault = (where, what) => walk.fault(where, what);

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

async function all(browser, role, language, window_) {
  const visit = await signIn(browser, site, accounts[role], language);
  await visit.page.setViewport({ width: window_.width, height: window_.height });
  const found = await paths(visit.page);
  visit.notes.length = 0;
  for (const path of found) {
    const axe = window_.name === "desk" || language === "en";
    await walk.see(visit, site + path, { name: label(path), named: path, language, window_, axe });
  }
  await visit.context.close();
  return found;
}

// Without script a page has its plain charts, tables and forms.
async function unscripted(browser) {
  const { context, page } = await signIn(browser, site, accounts.auditor, "en");
  await page.setJavaScriptEnabled(false);
  for (const path of await paths(page)) {
    await page.goto(site + path, { waitUntil: "load" });
    walk.looked += 1;
    const plain = await page.$$eval(".plot", (all) => all.filter((one) => !one.querySelector(".plain svg") || one.querySelector(".plain").hidden).length);
    if (plain) fault(path, `${plain} charts are missing without script`);
    if (!(await page.$("h1"))) fault(path, "no heading without script");
  }
  await context.close();
}

const browser = await open();
try {
  const page = await browser.newPage();
  for (const language of LANGUAGES) {
    for (const window_ of WINDOWS) {
      const address = `${site}/sign-in?lang=${language}`;
      await walk.see({ page, notes: [] }, address, { name: "sign-in", named: "/sign-in", language, window_ });
      const found = await all(browser, "administrator", language, window_);
      if (language === "en" && window_.name === "desk") console.log(`${found.length} pages: ${found.join(" ")}`);
    }
  }
  await unscripted(browser);
  for (const done of await tasks(browser, site, accounts, folder, fault)) console.log(`task: ${done}`);
} finally {
  await browser.close();
}
writeFileSync(join(folder, "measured.json"), JSON.stringify(walk.measured, null, 1));
const most = (of) => walk.measured.reduce((a, b) => ((b[of] ?? 0) > (a[of] ?? 0) ? b : a));
const heavy = most("bytes");
const slow = most("paint");
console.log(`heaviest ${Math.round(heavy.bytes / 1024)} KiB (${heavy.path}), slowest first paint ${Math.round(slow.paint)} ms (${slow.path})`);
walk.end("the alliance's pages");
