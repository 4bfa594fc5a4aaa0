//! The page of an invitation: what this is, two steps, the fingerprint. No script, nothing from elsewhere.

use gatehouse_api::words::Language;
use gatehouse_certs::{AuthorityFacts, words as words_of};

use crate::requests::SPOKEN;

/// What follows the path of the page for the profile.
pub(super) const PROFILE: &str = "/gatehouse-ca.mobileconfig";
/// What follows the path of the page for the certificate.
pub(super) const CERTIFICATE: &str = "/gatehouse-ca.crt";

/// Whether the device takes profiles.
pub(super) fn is_apple(agent: &str) -> bool {
    ["iPhone", "iPad", "iPod", "Macintosh"].iter().any(|name| agent.contains(name))
}

struct Words {
    lang: &'static str,
    title: &'static str,
    what: &'static str,
    get: &'static str,
    apple: &'static str,
    other: &'static str,
    compare: &'static str,
    aloud: &'static str,
    instead: &'static str,
}

const ENGLISH: Words = Words {
    lang: "en",
    title: "Trust this Gatehouse",
    what: "This device then trusts the addresses of one Gatehouse on your network, and nothing else: its authority can \
           only vouch for private names and addresses.",
    get: "Download the certificate authority",
    apple: "Open <b>Settings › Profile Downloaded › Install</b>, then switch it on in <b>Settings › General › About › \
            Certificate Trust Settings</b>. On a Mac: <b>System Settings › General › Device Management</b>.",
    other: "Open the file, or install it in <b>Settings › Security › Encryption &amp; credentials › Install a \
            certificate › CA certificate</b>. Firefox: <b>Settings › Privacy &amp; Security › View Certificates › \
            Authorities › Import</b>.",
    compare: "Go on only if Gatehouse shows the same fingerprint (SHA-256):",
    aloud: "In words, it begins:",
    instead: "Another form of the same file",
};

const CHINESE: Words = Words {
    lang: "zh-Hans",
    title: "信任此 Gatehouse",
    what: "安装后，本设备会信任您网络中这一个 Gatehouse 的地址，仅此而已：该证书颁发机构只能为私有名称和地址签发证书。",
    get: "下载证书颁发机构",
    apple: "打开<b>设置 › 已下载描述文件 › 安装</b>，然后在<b>设置 › 通用 › 关于本机 › 证书信任设置</b>中启用。\
            Mac：<b>系统设置 › 通用 › 设备管理</b>。",
    other: "打开该文件，或在<b>设置 › 安全 › 加密与凭据 › 安装证书 › CA 证书</b>中安装。\
            Firefox：<b>设置 › 隐私与安全 › 查看证书 › 证书颁发机构 › 导入</b>。",
    compare: "仅当 Gatehouse 显示相同的指纹（SHA-256）时才继续：",
    aloud: "以单词表示，开头为：",
    instead: "同一文件的另一种格式",
};

const STYLE: &str = "body{font:17px/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1.5rem;\
color:#1c1c1e;background:#fff}h1{font-size:1.4rem}a.get{display:inline-block;padding:.7rem 1.1rem;border-radius:.6rem;\
background:#0a5bd3;color:#fff;text-decoration:none}code{display:block;overflow-wrap:anywhere;font-size:.95rem;\
padding:.8rem;border-radius:.5rem;background:#f2f2f4}li{margin:.9rem 0}@media(prefers-color-scheme:dark){\
body{color:#f2f2f4;background:#1c1c1e}code{background:#2c2c2e}a{color:#7db4ff}a.get{background:#2f7cf0;color:#fff}}";

/// The page at `path`.
pub(super) fn html(authority: &AuthorityFacts, path: &str, apple: bool, language: Language) -> String {
    let words = match language {
        Language::English => &ENGLISH,
        Language::SimplifiedChinese => &CHINESE,
    };
    let spoken: Vec<&str> = words_of(&authority.sha256).into_iter().take(SPOKEN).collect();
    let (file, other, then) = match apple {
        true => (PROFILE, CERTIFICATE, words.apple),
        false => (CERTIFICATE, PROFILE, words.other),
    };
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{what}</p>\
         <p>{compare}</p><code>{fingerprint}</code><p>{aloud} <b>{spoken}</b></p>\
         <ol><li><a class=\"get\" href=\"{path}{file}\">{get}</a><br><small>{name}</small></li><li>{then}</li></ol>\
         <p><small><a href=\"{path}{other}\">{instead}</a></small></p></main></body></html>\n",
        lang = words.lang,
        title = words.title,
        what = words.what,
        compare = words.compare,
        aloud = words.aloud,
        spoken = spoken.join(" "),
        fingerprint = escaped(&authority.sha256),
        get = words.get,
        name = escaped(&authority.name),
        instead = words.instead,
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
