// Shows since when the release is live in the reader's own zone and way of writing. The exact time stays in the title.

const since = document.querySelector("time");
const instant = Date.parse(since?.dateTime);
if (instant) {
  const own = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short",
  });
  since.textContent = own.format(instant);
  since.lang = own.resolvedOptions().locale;
}
