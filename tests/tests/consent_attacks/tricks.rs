//! Texts that are to be taken for directories.

use crate::scene::Scene;

impl Scene {
    /// Texts that are to be taken for a directory that they are not.
    pub(crate) fn tricks(&self) -> Vec<String> {
        let (good, foreign) = (self.path("good"), self.path("foreign/plain"));
        let (good, foreign) = (good.display(), foreign.display());
        let mut tricks: Vec<String> = [
            format!("{good}/../foreign/plain"),
            format!("{good}//../foreign/plain"),
            format!("{good}/./../foreign/plain"),
            format!("{good}/..%2fforeign/plain"),
            format!("{good}\u{0}/../foreign/plain"),
            format!("{good}\t/x"),
            format!("{good}\u{202e}"),
            format!("/proc/self/root{foreign}"),
            format!("/proc/self/root{good}"),
            format!("/{foreign}"),
            format!("//{good}"),
            format!("{foreign}/"),
            format!("file://{foreign}"),
        ]
        .into();
        let odd = [
            "/proc/self/cwd",
            "/dev/fd/3",
            "/dev/stdin",
            "/net/host/share",
            "/afs/cell/user",
            "/Network/x",
            "//host/share",
            "~/work",
            "/",
            "/.",
            "/..",
            "C:\\work",
        ];
        tricks.extend(odd.map(str::to_owned));
        tricks.extend([
            format!("/net{good}"),
            format!("/{}", "a/".repeat(3000)),
            format!("{good}/{}", "a/".repeat(3000)),
            format!("{good}/{}", "b".repeat(300)),
        ]);
        tricks
    }
}
