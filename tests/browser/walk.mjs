// What every walk does: looks at pages in both languages, on a desk and on a phone, keeps their pictures, and
// counts what is wrong. Beside it, what a walk needs of others: a form pressed, a command of another party.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { accessible, inspect, weigh } from "./look.mjs";

const HEAVIEST = 350 * 1024;
const SLOWEST = 1000;
export const LANGUAGES = ["en", "zh-CN"];
export const WINDOWS = [
  { name: "desk", width: 1366, height: 768 },
  { name: "phone", width: 390, height: 844 },
];

// What the script that started this walk says on standard input, as JSON.
export const given = () => JSON.parse(readFileSync(0, "utf8"));

export class Walk {
  // `prefix` begins the names of the pictures.
  constructor(folder, prefix = "") {
    mkdirSync(folder, { recursive: true });
    Object.assign(this, { folder, prefix, looked: 0, faults: [], measured: [] });
  }

  fault(where, what) {
    this.faults.push(`${where}: ${what}`);
    console.log(`FAULT ${where}: ${what}`);
  }

  picture(page, name, language, window_) {
    return page.screenshot({ path: join(this.folder, `${this.prefix}${name}.${language}.${window_}.png`), fullPage: true });
  }

  // Opens an address as it is opened for the first time, and looks at the page. `named` is it in complaints.
  async see({ page, notes }, address, { name, named, language, window_, axe = true }) {
    const where = `${named ?? name} (${language}, ${window_.name})`;
    await page.setViewport({ width: window_.width, height: window_.height });
    const { status, bytes, paint } = await weigh(page, address);
    this.looked += 1;
    this.measured.push({ path: named ?? name, language, window: window_.name, bytes, paint });
    if (status >= 400) this.fault(where, `status ${status}`);
    if (bytes > HEAVIEST) this.fault(where, `${Math.round(bytes / 1024)} KiB`);
    if (paint === null || paint > SLOWEST) this.fault(where, `first paint after ${paint} ms`);
    await this.picture(page, name, language, window_.name);
    const found = [...await inspect(page, language), ...(axe ? await accessible(page) : []), ...notes.splice(0)];
    for (const what of found) this.fault(where, what);
  }

  // Looks at the page that stands in the browser, in both languages and on both windows.
  async look(visit, name) {
    for (const language of LANGUAGES) {
      for (const window_ of WINDOWS) {
        const at = new URL(visit.page.url());
        at.searchParams.set("lang", language);
        await this.see(visit, at.href, { name, language, window_ });
      }
    }
  }

  end(way) {
    console.log(`${way}: ${this.looked} looked at, ${this.faults.length} faults`);
    process.exitCode = this.faults.length ? 1 : 0;
  }
}

export const follow = (page, act) => Promise.all([page.waitForNavigation({ waitUntil: "load" }), act()]);

// Fills a form's fields by name, presses its button, and fails unless it leads where it should.
export async function send(page, form, fields, to) {
  for (const [name, value] of Object.entries(fields)) {
    const field = await page.$(`${form} [name='${name}']`);
    if (!field) throw new Error(`${form} has no field ${name} at ${page.url()}`);
    const kind = await field.evaluate((one) => (one.tagName === "SELECT" ? "select" : one.type));
    if (kind === "select") await field.select(value);
    else if (kind === "file") await field.uploadFile(value);
    else {
      await field.evaluate((one) => { one.value = ""; });
      await field.type(value);
    }
  }
  await follow(page, () => page.click(`${form} button`));
  const led = new URL(page.url());
  if (to !== undefined && led.pathname + led.search !== to) throw new Error(`${form} led to ${page.url()}`);
}

// What somebody else does by command; its complaint where it fails.
function run(program, words) {
  const done = spawnSync(program, words.map(String), { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 64 * 1024 * 1024 });
  if (done.error || done.status !== 0) throw new Error(`${words.slice(0, 5).join(" ")}: ${done.error ?? done.stderr}`);
  return done;
}

// What it says, and that with its warnings.
export const command = (program, ...words) => run(program, words).stdout;
export const warned = (program, ...words) => { const { stdout, stderr } = run(program, words); return stdout + stderr; };
