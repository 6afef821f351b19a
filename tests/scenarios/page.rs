//! A page under test: what it says, and what it links to.

/// A page as it came.
pub struct Page {
    pub status: u16,
    /// Its address, without the host.
    pub path: String,
    pub html: String,
}

impl Page {
    /// Its text, without tags.
    pub fn text(&self) -> String {
        let mut html = String::new();
        for (index, part) in self.html.split("<script").enumerate() {
            html += if index == 0 { part } else { part.split_once("</script>").map_or("", |(_, after)| after) };
        }
        let mut text = String::new();
        let mut inside = false;
        for character in html.chars() {
            match character {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    text.push(' ');
                }
                _ if !inside => text.push(character),
                _ => {}
            }
        }
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub fn says(&self, expected: &str) -> &Self {
        assert!(self.text().contains(expected), "{} does not say {expected:?}:\n{}", self.path, self.text());
        self
    }

    #[track_caller]
    pub fn lacks(&self, unexpected: &str) -> &Self {
        assert!(!self.text().contains(unexpected), "{} says {unexpected:?}:\n{}", self.path, self.text());
        self
    }

    #[track_caller]
    pub fn has_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}:\n{}", self.path, self.text());
        self
    }

    /// The addresses of the runs that it links to, each once, in order.
    pub fn runs(&self) -> Vec<String> {
        let mut runs = Vec::new();
        for part in self.html.split("href=\"").skip(1) {
            let link = part.split('"').next().unwrap();
            let run = link.split(['?', '#']).next().unwrap();
            let ends_in_id = run.rsplit('/').next().is_some_and(|id| id.len() == 26);
            if run.contains("/run/") && ends_in_id && !runs.contains(&run.to_owned()) {
                runs.push(run.to_owned());
            }
        }
        runs
    }

    /// The state in the badge beside its title.
    pub fn state(&self) -> String {
        let after = self.html.split("data-state=\"").nth(1).unwrap_or_default();
        after.split('"').next().unwrap_or_default().to_owned()
    }
}

impl Page {
    /// Expects that a field is wrong, and that whoever cannot see it is told why.
    #[track_caller]
    pub fn refuses(&self, field: &str, why: &str) -> &Self {
        let tag = self.html.split('<').find(|tag| tag.contains(&format!(" name=\"{field}\""))).unwrap_or_default();
        let described = tag.split("aria-describedby=\"").nth(1).and_then(|rest| rest.split('"').next());
        let wrong = format!("{field}-wrong");
        assert!(tag.contains("aria-invalid=\"true\""), "{} takes {field}: <{tag}", self.path);
        assert!(described.is_some_and(|ids| ids.split(' ').any(|id| id == wrong)), "{field} names no reason: <{tag}");
        let said = self.html.split(&format!("id=\"{wrong}\"")).nth(1).and_then(|rest| rest.split("</p>").next());
        assert!(said.is_some_and(|said| said.contains(why)), "{} does not say {why:?} of {field}: {said:?}", self.path);
        self
    }
}

/// The version that a settings page starts from.
pub fn version(page: &Page) -> String {
    hidden(page, "version")
}

/// What a hidden field of a page holds.
pub fn hidden(page: &Page, name: &str) -> String {
    let field = page.html.split(&format!("name=\"{name}\"")).nth(1).unwrap();
    field.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// When a variable on the page *Environment* was last set, as the form that removes it says.
pub fn last_set(page: &Page, variable: &str) -> String {
    let wanted = format!("<code>{variable}<");
    let row = page.html.split("<tr").find(|row| row.contains(&wanted)).unwrap();
    hidden(&Page { status: page.status, path: page.path.clone(), html: row.to_owned() }, "seen")
}

/// The id of somebody on the page about people.
pub fn person(page: &Page, name: &str) -> String {
    let wanted = format!(">{name}<");
    let link = page.html.split("/settings/people/").skip(1).find(|part| part.contains(&wanted)).unwrap();
    link.split('"').next().unwrap().to_owned()
}

/// The secret that a page shows once, behind what it begins with.
pub fn shown_once(page: &Page, begins: &str) -> String {
    page.html.split(begins).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// The part of the list of branches that is about one of them.
pub fn card(page: &Page, branch: &str) -> String {
    let wanted = format!("</svg>{branch}<");
    page.html.split("<li class=\"card").find(|card| card.contains(&wanted)).unwrap_or_default().to_owned()
}

pub fn card_run(page: &Page, branch: &str) -> Option<String> {
    let html = card(page, branch);
    Page { status: 200, path: String::new(), html }.runs().first().cloned()
}
