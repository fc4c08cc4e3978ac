import YAML

/// The Wanderfile that `wander init` writes.
public enum InitTemplate {
    /// Where `wander init` puts the schema that the first line names.
    public static let schemaPath = ".wander/schema.json"

    public static func text(box: String, minimal: Bool) -> String {
        let modeline = NewWanderfile.modeline
        let box = "box: \(YAMLText.scalar(YAMLText.escapingVariables(box)))\n"
        return minimal ? modeline + box : modeline + head + box + rest
    }

    /// A Wanderfile that a box brings along, with the box itself in place of the one that it was made from.
    public static func text(box: String, broughtBy content: String) -> String {
        let modeline = NewWanderfile.modeline
        let own = "box: \(YAMLText.scalar(YAMLText.escapingVariables(box)))"
        var lines = content.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines.removeAll { $0.hasPrefix("# yaml-language-server:") }
        if let index = lines.firstIndex(where: { $0.hasPrefix("box:") }) {
            lines[index] = own
        } else if !lines.contains(where: { $0.hasPrefix("machines:") || $0.hasPrefix("defaults:") }) {
            lines.insert(own, at: 0)
        }
        return modeline + lines.joined(separator: "\n")
    }

    private static let head = """
        # One machine. 'wander up' makes it and starts it, 'wander ssh' logs in, 'wander destroy' removes it.
        # 'wander validate' checks this file, and 'wander schema --keys' lists every key.

        # The disk that the machine starts from: a name from 'wander box search', a .box file, or a URL.

        """

    private static let rest = """

        # What it gets.
        cpus: 2
        memory: 1GiB
        # disk: 20GiB

        # Ports of this host that lead into the machine, as host:guest, on 127.0.0.1.
        # ports:
        #   - "8080:80"

        # Folders of this host that are in the machine too, as host:guest. This one is this file's folder.
        shares:
          - .:/project

        # Steps that set it up, as root unless 'as: user' says otherwise. A step runs until it has succeeded, and again
        # when it has changed.
        # provision:
        #   - name: packages
        #     run: |
        #       apt-get update
        #       apt-get install -y git make

        # When is it ready? 'wander up' waits for these.
        # ready:
        #   - tcp: 80
        #     timeout: 1m

        # Several machines: replace all of the above by
        # defaults:
        #   box: NAME
        # machines:
        #   web:
        #     ports: ["8080:80"]
        #     depends_on: [db]
        #   db:
        #     memory: 2GiB

        # Settings of your own go into Wanderfile.local beside this file; do not commit that one.

        """
}
