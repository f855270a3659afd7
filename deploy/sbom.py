"""CycloneDX 1.6 of the crates that the two binaries link or build with; `cargo metadata` on standard input."""

import hashlib
import json
import sys
import tomllib
import uuid

ROOTS = ("node", "coordinator")


def main(lock_path):
    meta = json.load(sys.stdin)
    with open(lock_path, "rb") as file:
        raw = file.read()
    sums = {
        (one["name"], one["version"]): one.get("checksum")
        for one in tomllib.loads(raw.decode())["package"]
    }
    packages = {one["id"]: one for one in meta["packages"]}
    nodes = {one["id"]: one for one in meta["resolve"]["nodes"]}

    def used(node):
        # What tests alone need is not part of a release.
        return [
            dep["pkg"]
            for dep in node["deps"]
            if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])
        ]

    own = set(meta["workspace_members"])
    roots = [one for one in own if packages[one]["name"] in ROOTS]
    seen, todo = set(), list(roots)
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo.extend(used(nodes[one]))

    def purl(one):
        return f"pkg:cargo/{packages[one]['name']}@{packages[one]['version']}"

    components = []
    for one in sorted(seen, key=purl):
        package = packages[one]
        component = {
            "type": "application" if one in roots else "library",
            "bom-ref": purl(one),
            "name": package["name"],
            "version": package["version"],
            "purl": purl(one),
        }
        licence = package.get("license")
        if licence:
            component["licenses"] = [{"expression": licence.replace("/", " OR ")}]
        checksum = sums.get((package["name"], package["version"]))
        if checksum:
            component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package.get("repository"):
            component["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        components.append(component)
    serial = uuid.UUID(bytes=hashlib.sha256(raw).digest()[:16], version=4)
    version = next(packages[one]["version"] for one in roots)
    json.dump(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{serial}",
            "version": 1,
            "metadata": {
                "component": {
                    "type": "application",
                    "bom-ref": "consilium",
                    "name": "consilium",
                    "version": version,
                }
            },
            "components": components,
            "dependencies": [{"ref": "consilium", "dependsOn": sorted(map(purl, roots))}]
            + [
                {"ref": purl(one), "dependsOn": sorted({purl(dep) for dep in used(nodes[one])})}
                for one in sorted(seen, key=purl)
            ],
        },
        sys.stdout,
        indent=1,
        sort_keys=True,
    )
    print()


main(sys.argv[1])
