// Tells an open page that another build or release is live here. The page is complete without it.
//
// It asks only while somebody may be there: an Eco dyno sleeps 30 minutes after its last request, and an open page
// must not keep it awake for nobody.

const second = 1_000; // ms
const minute = 60 * second;

const often = 20 * second; // whoever watches a promotion sees it arrive
const here = 10 * minute; // after the last touch somebody is here. A promotion arrives within half of that, or never
const sometimes = 2 * minute; // later: somebody may still read
const gone = 30 * minute; // after the last touch nobody is here: it asks no more

const patience = 10 * second; // with an answer, and before it asks again: both together are `often`
const starting = 10; // failures in a row, which are 100 s: a dyno has 60 to start. After that each wait is doubled
const seldom = 10 * minute; // up to this

const notice = document.querySelector("[role=status] p");
const [name, news] = notice.querySelectorAll("b, bdi");
const { build, release } = notice.dataset;
const message = document.querySelector("h1").textContent;
let touched = Date.now();
let failures = 0;
let timer;

async function ask() {
  try {
    // In full: where an address was opened with a password in it, "/release" can't be fetched.
    const answer = await fetch(`${location.origin}/release`, { signal: AbortSignal.timeout(patience) });
    if (!answer.ok) throw answer;
    tell(await answer.json());
    failures = 0;
  } catch {
    failures += 1;
  }
  askIn(nextWait());
}

const untouched = () => Date.now() - touched;

function nextWait() {
  if (failures > 0) return Math.min(patience * 2 ** Math.max(0, failures - starting), seldom);
  return untouched() < here ? often : sometimes;
}

function askIn(wait) {
  clearTimeout(timer);
  if (!document.hidden && untouched() < gone) timer = setTimeout(ask, wait);
}

// Config vars change the release, and not the build. A rollback may bring back what is shown.
function tell(live) {
  write(name, live.release ?? "Another build");
  write(news, whatIsNew(live));
  notice.hidden = live.build === build && (live.release ?? "") === release;
}

function whatIsNew(live) {
  if (live.message !== message) return live.message;
  if (live.build === build) return "the same build, released again";
  return `the same message, from build ${live.build.replace("sha256:", "").slice(0, 16)}`;
}

// Nothing twice: a screen reader would read it aloud each time.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Whoever comes back is told at once.
function touch() {
  const isBack = untouched() >= here;
  touched = Date.now();
  if (isBack) askIn(0);
}

for (const event of ["keydown", "pointerdown", "pointermove", "wheel"]) addEventListener(event, touch, { passive: true });
document.addEventListener("visibilitychange", () => {
  touched = Date.now();
  askIn(second); // whoever leafs through tabs is gone by then
});
notice.querySelector("button").addEventListener("click", () => location.reload());
askIn(often);
