// From a file to the position, as a hospital's steward goes: brought, tried, loaded, examined, released. Every
// page on the way is looked at in both languages, on a desk and on a phone.
//
//   node hospital.mjs SITE PICTURES FILE MAPPING [BENCHMARK]       the account as JSON on standard input: {name, password}
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { open, signIn } from "./browser.mjs";
import { accessible, inspect, weigh } from "./look.mjs";

const [site, folder, file, mapping, benchmark] = process.argv.slice(2);
const account = JSON.parse(readFileSync(0, "utf8"));
mkdirSync(folder, { recursive: true });

const HEAVIEST = 350 * 1024;
const SLOWEST = 1000;
const WINDOWS = [["desk", 1366, 768], ["phone", 390, 844]];

let looked = 0;
const faults = [];
const fault = (where, what) => { faults.push(what); console.log(`FAULT ${where}: ${what}`); };
const follow = (page, act) => Promise.all([page.waitForNavigation({ waitUntil: "load" }), act()]);

async function look({ page, notes }, name) {
  for (const language of ["en", "zh-CN"]) {
    for (const [window_, width, height] of WINDOWS) {
      await page.setViewport({ width, height });
      const at = new URL(page.url());
      at.searchParams.set("lang", language);
      const where = `${name} (${language}, ${window_})`;
      const { status, bytes, paint } = await weigh(page, at.href);
      looked += 1;
      if (status >= 400) fault(where, `status ${status}`);
      if (bytes > HEAVIEST) fault(where, `${Math.round(bytes / 1024)} KiB`);
      if (paint === null || paint > SLOWEST) fault(where, `first paint after ${paint} ms`);
      await page.screenshot({ path: join(folder, `hospital-${name}.${language}.${window_}.png`), fullPage: true });
      for (const what of [...await inspect(page, language), ...await accessible(page), ...notes.splice(0)]) fault(where, what);
    }
  }
}

// Brings a file; the name that the node gave it.
async function bring(page, path) {
  await page.goto(`${site}/mapping`, { waitUntil: "load" });
  await (await page.$("input[type=file]")).uploadFile(path);
  await follow(page, () => page.click("form[action='/incoming'] button"));
  const asked = new URL(page.url()).searchParams;
  if (asked.get("done") !== "uploaded") throw new Error(`bringing a file led to ${page.url()}`);
  return asked.get("file") ?? asked.get("mapping");
}

const browser = await open();
try {
  const visit = await signIn(browser, site, account, "en");
  const { page } = visit;
  await page.goto(`${site}/mapping`, { waitUntil: "load" });
  await look(visit, "nothing-brought");
  const named = await bring(page, mapping);
  await bring(page, file);
  await look(visit, "brought");
  await page.select("select[name=mapping]", named);
  await follow(page, () => page.click("form[action='/mapping'] button"));
  await look(visit, "tried");
  await follow(page, () => page.click("form[action='/load'] button"));
  // Without another click: the page asks again by itself until the load has ended.
  await page.waitForSelector("#loaded tbody tr", { timeout: 90_000 });
  await look(visit, "loaded");
  const month = await page.$eval("#loaded tbody a", (one) => one.getAttribute("href"));
  await follow(page, () => page.click("form[action='/incoming/remove'] button"));
  await page.goto(site + month, { waitUntil: "load" });
  await follow(page, () => page.click("form[action='/months/examine'] button"));
  await look(visit, "examined");
  await page.type("form[action='/months/step'] input[type=password]", account.password);
  await follow(page, () => page.click("form[action='/months/step'] button"));
  if (!page.url().endsWith("/months?done=released")) throw new Error(`releasing led to ${page.url()}`);
  await look(visit, "released");
  await page.goto(`${site}/position`, { waitUntil: "load" });
  if (benchmark && !(await page.$("table tbody tr"))) fault("position", "no figures beside the benchmark");
  await look(visit, "position");
} finally {
  await browser.close();
}
console.log(`from file to position: ${looked} looked at, ${faults.length} faults`);
process.exitCode = faults.length ? 1 : 0;
