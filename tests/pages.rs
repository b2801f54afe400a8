//! The app's pages, as a browser gets them.

use testbed::{Answer, Variable};

use support::start;

mod support;

const PRODUCTION: &[Variable] = &[("APP_ENV", "production")];
const PREVIEW: &[Variable] = &[("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "swordfish")];

/// The paths of all assets that a page names, once for each time.
fn assets(page: &Answer) -> Vec<&str> {
    page.text().split('"').filter(|text| text.starts_with("/assets/")).collect()
}

/// The path of one of them, by its extension.
fn asset<'a>(page: &'a Answer, extension: &str) -> &'a str {
    assets(page).into_iter().find(|path| path.ends_with(extension)).unwrap()
}

fn page(variables: &[Variable]) -> Answer {
    start(variables).get("/")
}

#[test]
fn the_index_shows_message_site_name_environment_and_release() {
    let variables = [
        ("APP_ENV", "staging"),
        ("SITE_NAME", "<Stage & Door>"),
        ("HEROKU_RELEASE_VERSION", "v42"),
        ("HEROKU_RELEASE_CREATED_AT", "2026-11-23T01:02:03Z"),
        ("HEROKU_BUILD_COMMIT", "0123456789abcdef"),
    ];
    let service = start(&variables);
    let page = service.get("/");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let release: serde_json::Value = service.get("/release").json();
    let [commit, build] = ["commit", "build"].map(|field| release[field].as_str().unwrap());
    let message = service.message();
    let times = ["\"2026-11-23T01:02:03Z\"", ">2026-11-23 01:02:03 UTC<"];
    for text in [&["staging", "v42", commit, build, &message], &times[..]].concat() {
        assert!(page.text().contains(text), "no {text} on {}", page.text());
    }
    assert!(page.text().contains("&#60;Stage &#38; Door&#62;"), "{}", page.text());
}

#[test]
fn the_index_leaves_out_what_is_not_known() {
    let page = page(&[]);
    assert!(!page.text().contains("Release</dt>"), "{}", page.text());
    assert!(!page.text().contains("None"), "{}", page.text());
}

#[test]
fn the_index_tells_search_engines_and_shared_links_what_it_is() {
    let variables = [("SITE_NAME", "Mine"), ("SITE_URL", "https://www.example.com")];
    let service = start(&[PRODUCTION, &variables].concat());
    let (production, message) = (service.get("/"), service.message());
    let description = format!("On the board at Mine: {message}");
    for tag in [
        format!("<title>{message} · Mine</title>"),
        format!("<meta name=\"description\" content=\"{description}\">"),
        "<meta property=\"og:type\" content=\"website\">".to_owned(),
        "<meta property=\"og:site_name\" content=\"Mine\">".to_owned(),
        format!("<meta property=\"og:title\" content=\"{message}\">"),
        format!("<meta property=\"og:description\" content=\"{description}\">"),
        "<meta property=\"og:url\" content=\"https://www.example.com/\">".to_owned(),
        "<link rel=\"canonical\" href=\"https://www.example.com/\">".to_owned(),
    ] {
        assert_eq!(production.text().matches(&tag).count(), 1, "{tag}: {}", production.text());
    }
    for environment in ["development", "review", "staging"] {
        let page = page(&[&[("APP_ENV", environment)], &variables[..]].concat());
        assert!(!page.text().contains("example.com"), "{environment}: {}", page.text());
    }
}

#[test]
fn each_stages_icon_has_the_stages_colour_in_the_stylesheet() {
    let stylesheet = include_str!("../assets/callboard.css");
    for environment in ["development", "review", "staging", "production"] {
        let service = start(&[("APP_ENV", environment), ("FORCE_HTTPS", "false")]);
        let icon = service.get(asset(&service.get("/"), ".svg"));
        let rule = match environment {
            "development" => ":root {".to_owned(), // the others set it anew
            environment => format!(".{environment} {{"),
        };
        let (_, rule) = stylesheet.split_once(&rule).unwrap();
        let (_, colour) = rule.split_once("--stage: ").unwrap();
        let colour = &colour[.."#000000".len()];
        assert!(icon.text().contains(colour), "{environment}: no {colour} in {}", icon.text());
    }
}

#[test]
fn the_stylesheet_tells_the_size_of_this_message() {
    let service = start(&[]);
    let stylesheet = service.get(asset(&service.get("/"), ".css"));
    let width = |name| {
        let (_, value) = stylesheet.text().rsplit_once(name).unwrap();
        value.split(';').next().unwrap().parse::<usize>().unwrap()
    };
    let (wide, narrow) = (width("h1 { --wide: "), width(" --narrow: "));
    assert!((100..=wide).contains(&narrow), "{narrow} of {wide}: more lines are shorter ones");
}

#[test]
fn the_face_is_small_and_the_stylesheet_and_the_page_know_where_it_is() {
    let service = start(&[]);
    let page = service.get("/");
    let face = asset(&page, ".woff2");
    assert!(page.text().contains("<link rel=\"preload\" as=\"font\""), "{}", page.text());
    let stylesheet = service.get(asset(&page, ".css"));
    assert!(stylesheet.text().contains(&format!("src: url({face})")), "{}", stylesheet.text());
    let font = service.get(face);
    assert!(font.body.starts_with(b"wOF2") && font.body.len() <= 15_000, "{}", font.body.len());
}

#[test]
fn the_index_comes_in_the_format_that_the_client_prefers() {
    let service = start(&[("SITE_NAME", "Mine")]);
    let release: serde_json::Value = service.get("/release").json();
    let json = service.ask("GET", "/", &[("accept", "application/json")]);
    assert_eq!(json.header("content-type"), "application/json");
    let json: serde_json::Value = json.json();
    assert_eq!(json["message"], service.message());
    assert_eq!(json["site_name"], "Mine");
    assert_eq!(json["environment"], "development");
    assert_eq!(json["build"], release["build"]);

    let text = service.ask("GET", "/", &[("accept", "text/plain")]);
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    for accept in ["*/*", "text/html,*/*;q=0.8", "image/png"] {
        let html = service.ask("GET", "/", &[("accept", accept)]);
        assert_eq!(html.header("content-type"), "text/html; charset=utf-8", "{accept}");
        assert_eq!(html.header("vary"), "accept, accept-encoding");
    }
}

#[test]
fn a_changed_page_shows_at_once() {
    let tag = page(&[]).header("etag").to_owned();
    let known = ("if-none-match", tag.as_str());
    assert_eq!(start(&[]).ask("GET", "/", &[known]).status, 304);
    assert_eq!(start(&[("SITE_NAME", "Another")]).ask("GET", "/", &[known]).status, 200);
}

#[test]
fn the_page_and_its_assets_load_nothing_from_elsewhere() {
    let service = start(&[]);
    let page = service.get("/");
    let text = page.text();
    for reference in ["=\"http", "=\"//", "<script>", "style="] {
        assert!(!text.contains(reference), "{reference} in {text}");
    }
    assert_eq!(text.matches("src=").count(), text.matches("src=\"/assets/").count(), "{text}");
    let face = asset(&page, ".woff2"); // which names no files
    for path in assets(&page).into_iter().filter(|path| *path != face) {
        let asset = service.get(path);
        let text = asset.text().replace("http://www.w3.org/2000/svg", "");
        let text = text.replace("url(/assets/", "");
        for reference in ["http:", "https:", "\"//", "url(", "import", "<script"] {
            assert!(!text.contains(reference), "{reference} in {path}");
        }
    }
}

#[test]
fn the_pages_assets_are_named_by_content_and_kept_for_a_year() {
    let service = start(&[]);
    let page = service.get("/");
    let assets = assets(&page);
    assert_eq!(assets.len(), 5, "stylesheet, script, face, and the icon twice: {assets:?}");
    for path in assets {
        let asset = service.get(path);
        assert_eq!(asset.status, 200, "{path}");
        assert_eq!(asset.header("cache-control"), "max-age=31536000, immutable");
        assert_eq!(asset.header("vary"), "accept-encoding");
        let kind = match path.rsplit('.').next().unwrap() {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "woff2" => "font/woff2",
            _ => "image/svg+xml",
        };
        assert_eq!(asset.header("content-type"), kind);
    }
    let production = crate::page(PRODUCTION);
    assert_ne!(asset(&page, ".svg"), asset(&production, ".svg"), "the icon tells the stage");
}

#[test]
fn a_page_of_another_build_gets_the_files_of_this_one_and_keeps_them_for_no_time() {
    let service = start(&[]);
    let page = service.get("/");
    for path in assets(&page) {
        let (before, extension) =
            (path.split('-').next().unwrap(), path.rsplit('.').next().unwrap());
        let others = service.get(&format!("{before}-0123456789abcdef.{extension}"));
        assert_eq!((others.status, others.header("cache-control")), (200, "no-cache"), "{path}");
        assert_eq!(others.body, service.get(path).body);
        assert_eq!(others.header("content-type"), service.get(path).header("content-type"));
        for no_digest in ["0123", "0123456789ABCDEF", "../0123456789abcdef"] {
            let unknown = service.get(&format!("{before}-{no_digest}.{extension}"));
            assert_eq!(unknown.status, 404, "{no_digest}");
        }
    }
}

#[test]
fn the_icon_is_also_where_browsers_look_by_themselves_even_without_the_password() {
    let service = start(PREVIEW);
    let favicon = service.get("/favicon.ico");
    assert_eq!(favicon.status, 200);
    let icon = service.get(asset(&service.get("/"), ".svg"));
    assert_eq!((favicon.header("content-type"), favicon.text()), ("image/svg+xml", icon.text()));
    assert_eq!(favicon.header("cache-control"), "no-cache");
}

#[test]
fn the_page_that_asks_for_the_password_has_its_stylesheet_icon_and_face() {
    let service = start(PREVIEW);
    let page = service.get("/");
    assert_eq!(page.status, 401);
    let assets = assets(&page);
    assert_eq!(assets.len(), 4, "stylesheet, face, and the icon twice: {}", page.text());
    for path in assets {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
}

#[test]
fn an_error_has_the_apps_own_look() {
    let service = start(&[]);
    let page = service.get("/nowhere");
    assert_eq!(page.status, 404);
    assert!(page.text().contains("Not found"), "{}", page.text());
    assert!(page.text().contains(page.header("x-request-id")), "{}", page.text());
    assert_eq!(asset(&page, ".css"), asset(&service.get("/"), ".css"));
}

#[test]
fn an_error_shows_at_which_stage_it_is() {
    for environment in ["development", "review", "staging", "production"] {
        let service = start(&[("APP_ENV", environment), ("FORCE_HTTPS", "false")]);
        let [index, error] = ["/", "/nowhere"].map(|path| service.get(path));
        let header = |page: &Answer| {
            let text = page.text();
            let (_, header) = text.split_once("<body").expect("a body");
            header.split("</header>").next().unwrap().to_owned()
        };
        assert_eq!(error.status, 404);
        assert_eq!(header(&error), header(&index), "{environment}");
        assert!(header(&error).contains(&format!("class=\"{environment}\"")), "{environment}");
    }
}

#[test]
fn whoever_gave_no_password_can_try_again_and_other_errors_lead_back() {
    let [no_password, nowhere] = [start(PREVIEW).get("/a?b=c"), start(PRODUCTION).get("/nowhere")];
    assert_eq!((no_password.status, nowhere.status), (401, 404));
    let again = "<a href=\"\">Try again</a>"; // the same address
    let back = "<a href=\"/\">Back to the board</a>";
    for (page, link, other) in [(&no_password, again, back), (&nowhere, back, again)] {
        assert!(page.text().contains(link) && !page.text().contains(other), "{}", page.text());
    }
}

#[test]
fn every_page_can_be_read_and_nothing_else() {
    let service = start(&[]);
    let index = service.get("/");
    for path in [&["/", "/release", "/health", "/robots.txt"][..], &assets(&index)].concat() {
        assert_eq!(service.get(path).status, 200, "GET {path}");
        assert_eq!(service.ask("HEAD", path, &[]).status, 200, "HEAD {path}");
        for method in ["POST", "DELETE", "OPTIONS"] {
            let answer = service.ask(method, path, &[]);
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), "GET, HEAD");
        }
    }
}
