// From a file to the position, as a hospital's steward goes: brought, tried, loaded, examined, released. Every
// page on the way is looked at in both languages, on a desk and on a phone.
//
//   node hospital.mjs SITE PICTURES FILE MAPPING [BENCHMARK]       the account as JSON on standard input: {name, password}
import { open, signIn } from "./browser.mjs";
import { Walk, follow, given, send } from "./walk.mjs";

const [site, folder, file, mapping, benchmark] = process.argv.slice(2);
const account = given();
const walk = new Walk(folder, "hospital-");

// Brings a file; the name that the node gave it.
async function bring(page, path) {
  await page.goto(`${site}/mapping`, { waitUntil: "load" });
  await send(page, "form[action='/incoming']", { upload: path });
  const asked = new URL(page.url()).searchParams;
  if (asked.get("done") !== "uploaded") throw new Error(`bringing a file led to ${page.url()}`);
  return asked.get("file") ?? asked.get("mapping");
}

const browser = await open();
try {
  const visit = await signIn(browser, site, account, "en");
  const { page } = visit;
  await page.goto(`${site}/mapping`, { waitUntil: "load" });
  await walk.look(visit, "nothing-brought");
  const named = await bring(page, mapping);
  await bring(page, file);
  await walk.look(visit, "brought");
  await page.select("select[name=mapping]", named);
  await follow(page, () => page.click("form[action='/mapping'] button"));
  await walk.look(visit, "tried");
  await follow(page, () => page.click("form[action='/load'] button"));
  // Without another click: the page asks again by itself until the load has ended.
  await page.waitForSelector("#loaded tbody tr", { timeout: 90_000 });
  await walk.look(visit, "loaded");
  const month = await page.$eval("#loaded tbody a", (one) => one.getAttribute("href"));
  // The file was taken away by the load itself; what is left is the mapping.
  await page.goto(`${site}/mapping`, { waitUntil: "load" });
  const left = await page.$$eval("form[action='/incoming/remove'] input[name=file]", (all) => all.map((one) => one.value));
  if (left.join() !== named) throw new Error(`after the load there lie ${left.join(" ")}`);
  await page.goto(site + month, { waitUntil: "load" });
  await follow(page, () => page.click("form[action='/months/examine'] button"));
  await walk.look(visit, "examined");
  await send(page, "form[action='/months/step']", { password: account.password }, "/months?done=released");
  await walk.look(visit, "released");
  await page.goto(`${site}/position`, { waitUntil: "load" });
  if (benchmark && !(await page.$("table tbody tr"))) walk.fault("position", "no figures beside the benchmark");
  await walk.look(visit, "position");
} finally {
  await browser.close();
}
walk.end("from file to position");
