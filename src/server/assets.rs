//! The files that the binary carries: client, stylesheet, icons. Those whose name has a hash are kept by browsers for
//! good; the others are asked about again after an hour, and answered in a few bytes when they have not changed.

use super::site;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// One file.
#[derive(Clone, Copy, Debug)]
struct Asset {
    /// What pages call it: `headway.js`.
    name: &'static str,
    /// Where it is served: `/pkg/headway.0123456789abcdef.js`.
    path: &'static str,
    /// Its `Content-Type`.
    content_type: &'static str,
    /// Says which content it is.
    hash: &'static str,
    /// Its bytes.
    raw: &'static [u8],
    /// Its bytes, compressed.
    brotli: &'static [u8],
    /// Whether its path changes with its content.
    immutable: bool,
}

/// Every file, as `build.rs` found them; none when the server was built without the client.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Where the file of that name is served: `headway.js`, `headway.wasm`, `headway.css`, `icons.svg` …
pub fn path(name: &str) -> Option<&'static str> {
    match site::root() {
        Some(_) => site::path(name),
        None => ASSETS.iter().find(|asset| asset.name == name).map(|asset| asset.path),
    }
}

/// The file at that address, or 404.
pub async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    if let Some(root) = site::root() {
        return site::serve(&root, uri.path()).await;
    }
    match ASSETS.iter().find(|asset| asset.path == uri.path()) {
        Some(asset) => asset.answer(&headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Asset {
    fn answer(&self, request: &HeaderMap) -> Response {
        let brotli = accepts_brotli(request);
        let tag = format!("\"{}{}\"", self.hash, if brotli { "-br" } else { "" });
        let cache = if self.immutable { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
        let known = is_known(request, &tag);
        let about = [(CACHE_CONTROL, cache), (VARY, "accept-encoding")];
        if known {
            return (StatusCode::NOT_MODIFIED, about, [(ETAG, tag)]).into_response();
        }
        let content = [(CONTENT_TYPE, self.content_type)];
        if brotli {
            (about, [(ETAG, tag)], content, [(CONTENT_ENCODING, "br")], self.brotli).into_response()
        } else {
            (about, [(ETAG, tag)], content, self.raw).into_response()
        }
    }
}

/// Whether the request names `br` as an encoding that it takes.
fn accepts_brotli(request: &HeaderMap) -> bool {
    words(request, ACCEPT_ENCODING).any(|word| {
        let (encoding, weight) = word.split_once(';').unwrap_or((word, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        encoding.trim().eq_ignore_ascii_case("br") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Whether the browser has the content with this tag.
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    words(request, IF_NONE_MATCH).any(|word| word == "*" || word.strip_prefix("W/").unwrap_or(word) == tag)
}

/// What a header lists, in however many lines.
fn words(request: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    request.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    const SCRIPT: Asset = Asset {
        name: "headway.js",
        path: "/pkg/headway.0f.js",
        content_type: "text/javascript; charset=utf-8",
        hash: "0f",
        raw: b"raw",
        brotli: b"brotli",
        immutable: true,
    };

    fn request(headers: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        map
    }

    fn header(response: &Response, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    async fn body(response: Response) -> Vec<u8> {
        to_bytes(response.into_body(), 1024).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn a_browser_that_takes_brotli_gets_it() {
        let response = SCRIPT.answer(&request(&[(ACCEPT_ENCODING, "gzip, deflate, br;q=0.9, zstd")]));
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, CONTENT_ENCODING), "br");
        assert_eq!(header(&response, CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert_eq!(header(&response, VARY), "accept-encoding");
        assert_eq!(header(&response, CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(header(&response, ETAG), "\"0f-br\"");
        assert_eq!(body(response).await, b"brotli");
    }

    #[tokio::test]
    async fn others_get_it_as_it_is() {
        for accepted in ["", "gzip", "br;q=0", "br; q=0.000", "brotli", "*"] {
            let response = SCRIPT.answer(&request(&[(ACCEPT_ENCODING, accepted)]));
            assert_eq!(header(&response, CONTENT_ENCODING), "", "{accepted}");
            assert_eq!(header(&response, VARY), "accept-encoding");
            assert_eq!(header(&response, ETAG), "\"0f\"");
            assert_eq!(body(response).await, b"raw");
        }
    }

    #[tokio::test]
    async fn what_a_browser_has_is_not_sent_again() {
        for tags in ["\"0f\"", "W/\"0f\"", "\"0e\", \"0f\"", "*"] {
            let response = SCRIPT.answer(&request(&[(IF_NONE_MATCH, tags)]));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{tags}");
            assert_eq!(header(&response, ETAG), "\"0f\"");
            assert!(body(response).await.is_empty());
        }
        for tags in ["\"0e\"", "\"0f-br\"", "0f"] {
            assert_eq!(SCRIPT.answer(&request(&[(IF_NONE_MATCH, tags)])).status(), StatusCode::OK, "{tags}");
        }
    }

    #[test]
    fn a_file_without_a_hash_in_its_name_is_kept_for_an_hour() {
        let icon = Asset { immutable: false, ..SCRIPT };
        assert_eq!(header(&icon.answer(&HeaderMap::new()), CACHE_CONTROL), "public, max-age=3600");
    }

    #[tokio::test]
    async fn what_is_not_carried_is_not_found() {
        let response = serve(Uri::from_static("/pkg/nothing.js"), HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(path("nothing.js"), None);
    }

    #[tokio::test]
    async fn every_carried_file_is_served_where_pages_are_told() {
        if ASSETS.is_empty() {
            eprintln!("SKIPPED: this was built without the client, so that no file is carried");
        }
        for asset in ASSETS {
            assert_eq!(path(asset.name), Some(asset.path));
            let response = serve(Uri::from_static(asset.path), HeaderMap::new()).await;
            assert_eq!(header(&response, CONTENT_TYPE), asset.content_type);
        }
    }
}
