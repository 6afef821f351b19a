//! Identity: who asks. A browser shows its session in a cookie, a script its token in a header; the sample takes whoever
//! reaches it for its operator.
//!
//! Every address is closed to whoever is nobody, except those that [`is_public`] names.

use super::Server;
use crate::app::api::session_cookie;
use crate::commands::authenticate::{Identity, Place, by_session, by_token};
use crate::commands::throttle::{Allowance, network};
use crate::domain::permission::Viewer;
use crate::domain::problem::Problem;
use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, COOKIE, HOST, LOCATION, RETRY_AFTER, USER_AGENT, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// How often a wrong token may be shown from one address: sixty times, then once a second.
const WRONG_TOKENS: Allowance = Allowance { burst: 60, every: 1_000 };

/// Where a proxy says whom it speaks for.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a browser is led that has nobody signed in.
const SIGN_IN: &str = "/sign-in";

/// Whether everybody may reach an address. All others are for whoever is signed in, and what they may do there is decided
/// by the commands.
pub fn is_public(method: &Method, path: &str) -> bool {
    match path {
        "/sign-in" | "/sign-in/github" | "/sign-in/openid" | "/sign-in/callback" | "/welcome" => method == Method::GET,
        "/api/sign_in" | "/api/accept_invitation" | "/api/ways_to_sign_in" | "/api/invitation" => true,
        // GitHub proves itself by its signature.
        "/webhooks/github" => method == Method::POST,
        "/favicon.svg" | "/icons.svg" | "/robots.txt" | "/health" => true,
        file => file.starts_with("/pkg/"),
    }
}

/// Finds out who asks, and lets nobody through to what is not public.
pub async fn identify(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    if let Some(refused) = foreign_host(&server, request.headers()) {
        return refused;
    }
    let place = Place { from: whence(&server, &request), browser: browser(request.headers()), session: None };
    let identity = match find(&server, request.headers(), place).await {
        Ok(identity) => identity,
        Err(problem) => return refuse(request.headers(), &problem),
    };
    if identity.viewer.is_none() && !is_public(request.method(), request.uri().path()) {
        let wants_page = request.method() == Method::GET && accepts_html(request.headers());
        return if wants_page { to_sign_in(request.uri()) } else { refuse(request.headers(), &Problem::NotSignedIn) };
    }
    request.extensions_mut().insert(identity);
    next.run(request).await
}

async fn find(server: &Server, headers: &HeaderMap, place: Place) -> Result<Identity, Problem> {
    let context = &server.context;
    if let Some(operator) = &server.operator {
        let viewer = context.viewer(operator, &place.from).await?;
        return Ok(Identity { viewer, session: None, place });
    }
    if let Some(shown) = headers.get(AUTHORIZATION) {
        let token = shown.to_str().ok().and_then(|shown| shown.strip_prefix("Bearer "));
        let viewer = match token {
            Some(token) => by_token(context, token.trim(), &place.from).await?,
            None => None,
        };
        if viewer.is_none() {
            let stranger = Viewer::stranger(&place.from);
            context
                .note_attempt(&stranger, "use a token", None, None, "Nobody has this token, or not any more.")
                .await?;
            context.throttle.take(&format!("token {}", network(&place.from)), WRONG_TOKENS, context.now())?;
            return Err(Problem::NotSignedIn);
        }
        return Ok(Identity { viewer, session: None, place });
    }
    let cookie = cookie(headers, session_cookie::name(&context.config));
    let signed_in = match cookie {
        Some(secret) => by_session(context, &secret, &place.from).await?,
        None => None,
    };
    let (viewer, session) = signed_in.unzip();
    let person = viewer.as_ref().and_then(|viewer| viewer.person.clone());
    let place = Place { session: person.zip(session.clone()), ..place };
    Ok(Identity { viewer, session, place })
}

/// The address that a request comes from: the other end of the connection, or whom a trusted proxy there names.
fn whence(server: &Server, request: &Request) -> String {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let Some(ConnectInfo(peer)) = peer else { return String::new() };
    let told = request.headers().get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    source(peer.ip(), told, &server.context.config.trusted_proxy).to_string()
}

/// The nearest address that is no trusted proxy's. Each proxy adds whom it heard to the end of the header; what stands before
/// the first that is not trusted, anybody can have written.
fn source<'a>(peer: IpAddr, told: impl Iterator<Item = &'a str>, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let chain: Vec<Option<IpAddr>> =
        told.flat_map(|value| value.split(',')).map(|address| address.trim().parse().ok()).collect();
    let mut nearest = peer.to_canonical();
    for address in chain.into_iter().rev() {
        match address {
            Some(address) if is_trusted(&nearest) => nearest = address.to_canonical(),
            Some(_) | None => break,
        }
    }
    nearest
}

fn browser(headers: &HeaderMap) -> String {
    headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_owned()
}

/// What a cookie of this name holds.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// The sample takes everybody for its operator, so it answers to this machine's own names alone: a page elsewhere whose name
/// was made to lead here is refused (DNS rebinding).
fn foreign_host(server: &Server, headers: &HeaderMap) -> Option<Response> {
    server.operator.as_ref()?;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    let own = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
    (!own).then(|| (StatusCode::MISDIRECTED_REQUEST, "The sample answers to this machine only.").into_response())
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// Leads to signing in, and from there back.
fn to_sign_in(uri: &Uri) -> Response {
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if wanted != "/" {
        query.append_pair("next", wanted);
    }
    let query = query.finish();
    let page = if query.is_empty() { SIGN_IN.to_owned() } else { format!("{SIGN_IN}?{query}") };
    (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
}

pub(super) fn refuse(headers: &HeaderMap, problem: &Problem) -> Response {
    let status = crate::app::status(problem);
    let mut response = if accepts_html(headers) {
        let cure = problem.cure().unwrap_or_default();
        (status, format!("{} {cure}", problem.sentence())).into_response()
    } else {
        (status, Json(problem.clone())).into_response()
    };
    if let Problem::TooMany { seconds } = problem {
        response.headers_mut().insert(RETRY_AFTER, (*seconds).into());
    }
    if status == StatusCode::UNAUTHORIZED {
        let how = axum::http::HeaderValue::from_static("Bearer realm=\"Headway\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, how);
    }
    response
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_cookie_is_found_among_others_and_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; xsession=2;session=3=4"));
        headers.append(COOKIE, HeaderValue::from_static("other=5"));
        assert_eq!(cookie(&headers, "session").as_deref(), Some("3=4"));
        assert_eq!(cookie(&headers, "other").as_deref(), Some("5"));
        assert_eq!(cookie(&headers, "sess"), None);
    }

    #[test]
    fn a_proxy_is_believed_when_it_is_trusted_and_no_further() {
        let trusted: Vec<IpNet> = ["127.0.0.1/32", "10.0.0.0/8"].map(|network| network.parse().unwrap()).into();
        for (peer, told, expected) in [
            ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
            ("127.0.0.1", vec![], "127.0.0.1"),
            ("127.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", vec!["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", vec!["203.0.113.9", "198.51.100.7, 10.1.1.1"], "198.51.100.7"),
            ("::ffff:10.0.0.2", vec!["2001:db8::1"], "2001:db8::1"),
            ("127.0.0.1", vec!["198.51.100.7, nonsense"], "127.0.0.1"),
        ] {
            let found = source(peer.parse().unwrap(), told.iter().copied(), &trusted);
            assert_eq!(found.to_string(), expected, "{peer} {told:?}");
            assert_eq!(
                source(peer.parse().unwrap(), told.iter().copied(), &[]),
                peer.parse::<IpAddr>().unwrap().to_canonical()
            );
        }
    }

    #[test]
    fn signing_in_leads_back_to_what_was_asked_for() {
        for (wanted, page) in
            [("/", "/sign-in"), ("/stack/a?log=1&x=%20", "/sign-in?next=%2Fstack%2Fa%3Flog%3D1%26x%3D%2520")]
        {
            let response = to_sign_in(&wanted.parse().unwrap());
            assert_eq!(response.headers()[LOCATION], page);
        }
    }
}
