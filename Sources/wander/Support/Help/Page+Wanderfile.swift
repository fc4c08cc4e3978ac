import EnvFile

/// `Wanderfile(5)`: what no single key says, and every key of the schema.
extension Page {
    static var wanderfile: Page {
        Page(
            name: "Wanderfile", chapter: 5, chapterTitle: "File Formats", summary: "the machines of a project",
            blocks: beforeTheKeys + KeyReference.sections.flatMap(keys) + afterTheKeys)
    }

    static var wanderfileMarkdown: String {
        wanderfile.markdown(
            title: "The Wanderfile",
            origin:
                "Made by 'make docs' from Sources/EnvFile/Schema and Sources/wander/Support/Help/Page+Wanderfile.swift."
        )
    }

    private static let beforeTheKeys: [Block] = [
        .heading("Description"),
        .paragraph(
            """
            A Wanderfile describes the machines of a project in YAML. It is in the project's folder, and commands find it
            from every folder below. A file that describes one machine has that machine's keys at its top:
            """),
        .verbatim("box: debian/12\nmemory: 2GiB\nports: [\"8080:80\"]", language: "yaml"),
        .paragraph("Several machines have names below 'machines', and what they have in common is in 'defaults':"),
        .verbatim(
            """
            name: shop
            defaults: { box: debian/12, memory: 1GiB }
            machines:
              web:
                ports: ["8080:80"]
                shares: [".:/srv/shop"]
                depends_on: [db]
                provision:
                  - { name: nginx, run: "apt-get update && apt-get install -y nginx" }
                ready:
                  - { name: site, http: "http://127.0.0.1/" }
              db:
                memory: 2GiB
                provision:
                  - { name: postgres, script: provision/postgres.sh, env: { PG_VERSION: "15" } }
            """, language: "yaml"),
        .paragraph("Mistakes are reported all at once, each with its line and a caret:"),
        .verbatim(
            """
            $ wander validate
            Wanderfile:3:10: error: unknown key 'memry' in a machine
                  web: { memry: 2GiB }
                         ^~~~~
                Did you mean 'memory'?
            """, language: "console"),
        .paragraph(
            """
            'wander config' prints the environment with every default filled in, and 'wander config --origin' where each
            value comes from. 'wander schema' prints a JSON Schema for editors, and 'wander schema --keys' this reference.
            The file Wanderfile.example in wander's source has every key in one place.
            """),
        .heading("Values"),
        .bullets([
            "Sizes: '512MiB', '4GiB' (or 'M', 'G': all units are binary).",
            "Durations: '500ms', '30s', '5m', '1h30m'.",
            "Yes and no: 'true' and 'false'.",
            "Paths of the host are relative to the file that names them; '~' is the home folder.",
        ]),
        .heading("Variables"),
        .paragraph(
            """
            '${NAME}', '${NAME:-default}' and '${NAME:?message}' are filled in, in values only and never in 'run' and
            'content'. '$$' is a dollar sign. The value comes from '--set vars.NAME=VALUE', else from the environment, else
            from 'env_files', else from 'vars'. There are also '${project.name}', '${project.dir}', '${machine.name}',
            '${machine.index}', '${host.user}' and '${host.home}', and with 'for_each' the row: '${each.key}' and so on.
            """),
        .heading("Several alike"),
        .paragraph(
            """
            'count' makes machines that differ in their number only. 'for_each' makes one for each row of a table, and the
            row's values go where '${each.key}', '${each.value}' and '${each.COLUMN}' are:
            """),
        .verbatim(
            """
            defaults: { box: debian/12 }
            machines:
              worker: { count: 2 }                # worker-1, worker-2
              node:
                for_each: 01-12                   # node01 to node12, with the addresses .11 to .22
                names: node${each.key}
                networks: [{ ip: 192.168.56.11 }]
              db:
                for_each:                         # db-main, db-copy
                  main: { ip: 192.168.56.31, memory: 4GiB }
                  copy: { ip: 192.168.56.35, memory: 2GiB }
                networks: [{ ip: "${each.ip}" }]
                memory: ${each.memory}
                env: { ROLE: "${each.key}" }
            """, language: "yaml"),
        .paragraph(
            """
            Rows are a map by name, a list of names ('[alpha, beta]'), or a range ('1-3'; '01-12' has two digits everywhere).
            A row of the map has columns or a single value. A column that a row lacks is an error, unless there is a default:
            '${each.memory:-1GiB}'. 'depends_on', and the words of the command line, take 'node' for all of them.
            """),
        .paragraph(
            """
            An address that is the same text for all of them is that of the first one, and the others get the next ones. One
            with '${each.ip}' or '${machine.index}' in it is each machine's own. A list has an address for each machine.
            """),
        .heading("Conditions"),
        .paragraph(
            """
            A machine, or a step, with an 'if' is there if that says yes. There are three forms, and no others: a value,
            which is yes unless it is empty, '0', 'no', 'off' or 'false', and two values with '==' or '!=' between them. A
            variable that nobody sets is empty here, and so is a column that a row lacks.
            """),
        .verbatim(
            """
            vars: { ROLE: web }
            defaults: { box: debian/12 }
            machines:
              web:
                depends_on: [db]
                provision:
                  - { if: "${CI}", run: "apt-get install -y curl" }
              db: { if: "${ROLE} != front" }
              debugger: { if: "${ROLE} == debug" }
            """, language: "yaml"),
        .paragraph(
            """
            What is left out is not looked at any further, and no machine waits for a machine that is left out. A machine
            that exists and is left out stays as it is, like one that was taken out of the file: 'wander destroy NAME'
            removes it.
            """),
        .heading("Layers"),
        .paragraph(
            """
            Later layers win: the built-in defaults, ~/.config/wander/config.yaml (only 'defaults'), the files that the
            Wanderfile includes, the Wanderfile, Wanderfile.local beside it, and '--set PATH=VALUE'. Maps merge key by key. Ports, shares, files, networks,
            steps and probes merge by what identifies them. All other lists, and an empty list, replace. A key without a
            value removes what an earlier layer had.
            """),
        .heading("Included files"),
        .paragraph(
            "'include' names other files of this form. Their values are below those of the file that names them:"),
        .verbatim(
            """
            include:
              - common.yaml
              - file: https://example.com/team/base.yaml
                digest: sha256:ff0d21d0d428d6eca3d327d54a46bdac38aa2d046fd07037382fbbf2b6d2df7c
            """, language: "text"),
        .paragraph(
            """
            A later file of the list is above an earlier one, and they merge like the other layers. Paths in a file are
            relative to that file, those in a file from a URL to the project. Included files may include others, up to 8
            deep and 32 in all, but never in a circle. A file from a URL needs its digest, and is downloaded once: the
            Wanderfile itself pins it, and Wanderfile.lock says nothing about it. A file of this host may have a digest,
            too. What is wrong in an included file is reported with its own line.
            """),
        .heading("Changes"),
        .paragraph("The table of a machine's keys says when a changed value takes effect:"),
        .bullets([
            "'next use': with the next command that uses the key. Nothing in the running machine depends on it.",
            "'restart': when the machine starts the next time, as with 'wander reload'.",
            "'new machine': only in a machine that is made after that: 'wander destroy', then 'wander up'.",
        ]),
    ]

    private static let afterTheKeys: [Block] = [
        .heading("Other keys"),
        .paragraph(
            """
            Keys that start with 'x-', at the top and in a machine, are yours: wander ignores them. Every other unknown key
            is an error. A key that another tool has under another name is reported with the line to write instead.
            """),
        .heading("Files"),
        .entries(
            [
                Entry(name: "Wanderfile", meaning: "The file; also 'Wanderfile.yaml' or 'wander.yaml'."),
                Entry(name: "Wanderfile.local", meaning: "Your own layer, which is not committed."),
                Entry(
                    name: "Wanderfile.lock",
                    meaning: "Each box by version and digest. wander writes it; commit it with the Wanderfile."),
                Entry(name: ".env", meaning: "Variables, unless 'env_files' names other files."),
                Entry(name: ".wander", meaning: "The machines themselves; not to be committed."),
                Entry(name: "~/.config/wander/config.yaml", meaning: "Your 'defaults' for every project."),
            ], columns: []),
        .heading("See also"), .paragraph("wander(1)"),
    ]
}
