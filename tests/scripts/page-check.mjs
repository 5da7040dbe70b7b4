// The local page in a real Chromium, with the quickstart's demonstration behind it: it shows what /metrics says, draws
// its charts, stays the same page while it refreshes, loads nothing from elsewhere and breaks none of its own rules.
// Needs `cargo build --bins` and tests/scripts/get-browser.sh.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { chromium } = createRequire(here("../.cache/browser/"))("playwright-core");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
const DEADLINE = 120_000;

setTimeout(() => fail(new Error(`not done after ${DEADLINE / 1000} s`)), DEADLINE).unref();

let quickstart;
function fail(error) {
  console.error(`page-check: ${error.stack}`);
  quickstart?.kill("SIGINT");
  process.exit(1);
}

// Starts the demonstration and waits until it has been counted; the page's address.
function start() {
  quickstart = spawn(here("../../target/debug/quickstart"), { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  return new Promise((resolve, reject) => {
    quickstart.on("exit", () => reject(new Error(`the quickstart ended early:\n${said}`)));
    quickstart.stdout.on("data", (piece) => {
      said += piece;
      const address = /local page +(http:\/\/\S+)/.exec(said)?.[1];
      if (address && /\d+ requests, [\d.]+ USD/.test(said)) resolve(address);
    });
  });
}

// A page that notes everything that must not happen.
async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => request.url().startsWith(`${url}/`) || wrong.push(`request to ${request.url()}`));
  page.on("response", (response) => response.ok() || wrong.push(`${response.status()} ${response.url()}`));
  await page.goto(url);
  return { page, wrong, close: () => context.close() };
}

const figure = (page, name) => page.locator("dl.figures div", { has: page.getByText(name, { exact: true }) }).locator("dd").first().textContent();
const sum = (text, metric) => text.split("\n").filter((line) => line.startsWith(`${metric}{`)).reduce((all, line) => all + Number(line.split(" ").at(-1)), 0);

async function shows_what_the_metrics_say(browser, url) {
  const { page, wrong, close } = await open(browser, url);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.equal(await figure(page, "Requests"), String(sum(metrics, "ccxray_requests_total")));
  assert.equal(await figure(page, "Cost, list price"), `$${sum(metrics, "ccxray_cost_usd_total").toFixed(4)}`);
  const history = await (await fetch(`${url}/api/history.json`)).json();
  for (const [column, metric] of [["requests", "requests_total"], ["output", "tokens_output_total"], ["cache_read", "tokens_cache_read_total"]]) {
    assert.equal(history[column].at(-1), sum(metrics, `ccxray_${metric}`), column);
  }
  assert.deepEqual(wrong, []);
  await close();
}

async function draws_charts_with_their_tables(browser, url) {
  const { page, wrong, close } = await open(browser, url);
  await page.locator("#plots canvas").nth(5).waitFor();
  const labels = await page.locator("#plots [role=img]").evaluateAll((plots) => plots.map((plot) => plot.ariaLabel));
  assert.equal(labels.length, 6);
  assert.match(labels[0], /^Cost, in all: Cost /);
  const painted = await page.locator("#plots canvas").evaluateAll((canvases) =>
    canvases.map((canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0)));
  assert.deepEqual(painted, Array(6).fill(true));
  await page.locator("#plots summary").first().click();
  await page.locator("#plots figure").first().locator("tbody tr").nth(59).waitFor({ state: "attached" });
  assert.deepEqual(wrong, []);
  await close();
}

async function stays_the_same_page_while_it_refreshes(browser, url) {
  const { page, wrong, close } = await open(browser, url);
  const row = await page.locator("#tables tbody th").first().elementHandle();
  for (let refreshes = 0; refreshes < 2; refreshes++) await page.waitForResponse(`${url}/api/history.json`);
  assert.ok(await row.evaluate((node) => node.isConnected), "a row that says the same is left alone");
  assert.deepEqual(wrong, []);
  await close();
}

async function fits_a_phone_and_the_night(browser, url) {
  const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const day = await open(browser, url, { viewport: { width: 390, height: 844 }, colorScheme: "light" });
  const night = await open(browser, url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await night.page.locator("#plots canvas").nth(5).waitFor();
  assert.equal(await night.page.evaluate(() => document.documentElement.scrollWidth), 390);
  assert.notEqual(await background(day.page), await background(night.page));
  assert.deepEqual([...day.wrong, ...night.wrong], []);
  await Promise.all([day.close(), night.close()]);
}

async function can_be_read_without_scripts(browser, url) {
  const { page, wrong, close } = await open(browser, url, { javaScriptEnabled: false });
  assert.match(await figure(page, "Requests"), /^\d/);
  assert.ok(await page.getByText("claude-opus").first().isVisible());
  assert.ok(!(await page.locator("#charts").isVisible()));
  assert.deepEqual(wrong, []);
  await close();
}

async function says_when_the_exporter_is_gone(browser, url) {
  const { page, close } = await open(browser, url);
  await page.locator("#plots canvas").nth(5).waitFor();
  quickstart.kill("SIGINT");
  await page.locator("#stale").waitFor({ state: "visible" });
  assert.match(await figure(page, "Requests"), /^\d/);
  await close();
}

try {
  const began = Date.now();
  const url = await start();
  const ended = once(quickstart, "exit");
  const browser = await chromium.launch({ executablePath: here("../.cache/browser/chromium"), args: FLAGS });
  const checks = [
    shows_what_the_metrics_say, draws_charts_with_their_tables, stays_the_same_page_while_it_refreshes,
    fits_a_phone_and_the_night, can_be_read_without_scripts, says_when_the_exporter_is_gone,
  ];
  for (const check of checks) {
    await check(browser, url);
    console.log(`page-check: the page ${check.name.replaceAll("_", " ")}`);
  }
  await browser.close();
  await ended;
  console.log(`page-check: all good after ${((Date.now() - began) / 1000).toFixed(1)} s`);
} catch (error) {
  fail(error);
}
