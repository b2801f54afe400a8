// Tells an open page that another build or release is live here. The page is complete without it.

const often = 20_000; // ms: whoever watches a promotion sees it arrive
const seldom = 600_000; // where nothing answers

const notice = document.querySelector("[role=status] p");
const [name, message] = notice.querySelectorAll("b, bdi");
let wait = often;
let timer;

async function ask() {
  try {
    // In full: where an address was opened with a password in it, "/release" can't be fetched.
    const answer = await fetch(`${location.origin}/release`);
    if (!answer.ok) throw answer;
    tell(await answer.json());
    wait = often;
  } catch {
    wait = Math.min(2 * wait, seldom);
  }
  askIn(wait);
}

// A hidden page asks nothing.
function askIn(wait) {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(ask, wait);
}

// Config vars change the release, and not the build. A rollback may bring back what is shown.
function tell(live) {
  const { build, release } = notice.dataset;
  name.textContent = live.release ?? "Another build";
  message.textContent = live.message;
  notice.hidden = live.build === build && (live.release ?? "") === release;
}

// Not at once: someone may be leafing through tabs.
document.addEventListener("visibilitychange", () => askIn(1_000));
notice.querySelector("button").addEventListener("click", () => location.reload());
askIn(often);
