//! The roots of the vendors, by the SHA-256 of their certificates. Everything of the grade `production` rests on one of these.
//!
//! Each can be compared with what its vendor publishes: AWS's with the documentation of Nitro Enclaves ("Verifying the root of trust"),
//! Intel's with `certificates.trustedservices.intel.com`, AMD's with `kdsintf.amd.com/vcek/v1/{product}/cert_chain`.
use crate::digest::Digest32;
use crate::settlement::node::Platform;

/// A vendor's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorRoot {
    /// The name that programs take.
    pub name: &'static str,
    /// Platforms whose documents chain to it.
    pub platforms: &'static [Platform],
    /// SHA-256 of the certificate.
    pub certificate: Digest32,
}

const fn hex32(text: &str) -> Digest32 {
    const fn digit(byte: u8) -> u8 {
        match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            _ => byte.wrapping_sub(b'a').wrapping_add(10),
        }
    }
    let mut bytes = [0; 32];
    let mut rest: &mut [u8] = &mut bytes;
    let mut text = text.as_bytes();
    while let ([high, low, left @ ..], [byte, after @ ..]) = (text, rest) {
        *byte = digit(*high) << 4 | digit(*low);
        (text, rest) = (left, after);
    }
    Digest32(bytes)
}

/// All roots of vendors that are known.
pub const VENDOR_ROOTS: [VendorRoot; 5] = [
    VendorRoot {
        name: "aws-nitro-g1",
        platforms: &[Platform::Nitro],
        certificate: hex32("641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"),
    },
    VendorRoot {
        name: "intel-sgx",
        platforms: &[Platform::Tdx, Platform::Sgx],
        certificate: hex32("44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"),
    },
    VendorRoot {
        name: "amd-milan",
        platforms: &[Platform::Snp],
        certificate: hex32("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
    },
    VendorRoot {
        name: "amd-genoa",
        platforms: &[Platform::Snp],
        certificate: hex32("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
    },
    VendorRoot {
        name: "amd-turin",
        platforms: &[Platform::Snp],
        certificate: hex32("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),
    },
];

/// Whether a certificate is a vendor's root for the platform.
pub fn is_vendor(platform: Platform, certificate: Digest32) -> bool {
    VENDOR_ROOTS.iter().any(|root| root.certificate == certificate && root.platforms.contains(&platform))
}
