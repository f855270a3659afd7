// A headless Chromium of this machine, and a visitor in it.
import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export async function open() {
  const executablePath = [process.env.CHROMIUM, ...PLACES].find((place) => place && existsSync(place));
  if (!executablePath) throw new Error("Chromium is missing");
  const args = ["--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none", "--force-color-profile=srgb"];
  // Root has no sandbox; the pages are the project's own.
  if (process.getuid?.() === 0) args.push("--no-sandbox");
  return puppeteer.launch({ executablePath, headless: true, acceptInsecureCerts: true, args });
}

// A visitor of its own cookies who signed in; `notes` gathers what the browser complains of.
export async function signIn(browser, site, { name, password }, language) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const notes = [];
  page.on("console", (said) => {
    if (["error", "warn"].includes(said.type())) notes.push(`console: ${said.text()}`);
  });
  page.on("pageerror", (error) => notes.push(`script: ${error.message}`));
  page.on("requestfailed", (request) => {
    // A stream ends with its page.
    if (!request.url().endsWith("/live")) notes.push(`not loaded: ${request.url()} ${request.failure()?.errorText}`);
  });
  await page.goto(`${site}/sign-in?lang=${language}`, { waitUntil: "load" });
  await page.type("input[name=name]", name);
  await page.type("input[name=password]", password);
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click("main button")]);
  if (page.url().endsWith("/sign-in")) throw new Error(`${name} could not sign in`);
  notes.length = 0;
  return { context, page, notes };
}
