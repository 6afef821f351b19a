//! Whose program plans and applies: Terraform or OpenTofu.

use serde::{Deserialize, Serialize};

/// The program's maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// HashiCorp's.
    Terraform,
    /// The Linux Foundation's.
    OpenTofu,
}

impl Vendor {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Terraform, Self::OpenTofu];

    /// The word for it in SQL and in forms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::OpenTofu => "opentofu",
        }
    }

    /// The word for it on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Terraform => "Terraform",
            Self::OpenTofu => "OpenTofu",
        }
    }

    /// What its program is called on the path.
    pub fn program(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::OpenTofu => "tofu",
        }
    }

    /// Where people get it.
    pub fn home(self) -> &'static str {
        match self {
            Self::Terraform => "https://developer.hashicorp.com/terraform/install",
            Self::OpenTofu => "https://opentofu.org/docs/intro/install/",
        }
    }

    /// Reads the word that [`Vendor::name`] writes.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }
}
