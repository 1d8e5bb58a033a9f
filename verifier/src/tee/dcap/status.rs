//! What Intel says of a platform's firmware.
use serde::{Deserialize, Serialize};

/// The status of a level, in Intel's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TcbStatus {
    /// Nothing is known against it.
    UpToDate,
    /// Software in the enclave must have its own mitigations.
    #[serde(rename = "SWHardeningNeeded")]
    SwHardeningNeeded,
    /// The platform's configuration may matter.
    ConfigurationNeeded,
    /// Both.
    #[serde(rename = "ConfigurationAndSWHardeningNeeded")]
    ConfigurationAndSwHardeningNeeded,
    /// Faults of it are known and mended in later ones.
    OutOfDate,
    /// That, and the configuration may matter.
    OutOfDateConfigurationNeeded,
    /// Its keys are not to be trusted.
    Revoked,
}

impl TcbStatus {
    /// What follows for the platform from the status of a part of it, the quoting enclave or the TDX module: as in Intel's library, a part
    /// counts if it is out of date or revoked.
    pub(super) fn with_part(self, part: Self) -> Self {
        match (self, part) {
            (_, Self::Revoked) => Self::Revoked,
            (Self::UpToDate | Self::SwHardeningNeeded, Self::OutOfDate | Self::OutOfDateConfigurationNeeded) => {
                Self::OutOfDate
            }
            (
                Self::ConfigurationNeeded | Self::ConfigurationAndSwHardeningNeeded,
                Self::OutOfDate | Self::OutOfDateConfigurationNeeded,
            ) => Self::OutOfDateConfigurationNeeded,
            (platform, _) => platform,
        }
    }
}
