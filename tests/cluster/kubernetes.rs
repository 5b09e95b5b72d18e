//! The manifest: valid by the schemas that Kubernetes publishes, and its command, run as a pod runs it.

use crate::{
    bench::{Bench, PROGRAM, SHARDS, STUDY, single, succeed},
    python::python,
};
use serde_json::Value;
use std::{fs, os::unix::fs::chown, path::Path, process::Command};

/// The first version of Kubernetes that has every field of the manifest switched on, and the newest that is known here.
const VERSIONS: [&str; 2] = ["1.29.0", "1.37.0"];

/// The manifest's documents.
fn documents(bench: &Bench) -> Vec<Value> {
    let convert = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))";
    let file = fs::File::open(bench.path().join("kubernetes.yaml")).expect("the manifest");
    let text = succeed(bench.command(python()).args(["-c", convert]).stdin(file));
    serde_json::from_str(&text).expect("JSON")
}

/// The document of a kind.
fn of_kind<'a>(documents: &'a [Value], kind: &str) -> &'a Value {
    documents.iter().find(|document| document["kind"] == kind).expect("a document")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().expect("a number")).expect("an identity")
}

/// A root folder with the program and the libraries that it is linked with. An image would have a static program alone.
fn image(root: &Path, program: &Path) {
    let put = |from: &Path, to: &Path| {
        let to = root.join(to.strip_prefix("/").expect("a full path"));
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(from, to).expect("copied");
    };
    put(Path::new(PROGRAM), program);
    let libraries = succeed(Command::new("ldd").arg(PROGRAM));
    for library in libraries.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new) {
        put(library, library);
    }
}

/// Mounts the volumes of a container: folders of its root, the configuration's with the files in it, the others its user's.
fn mount(root: &Path, documents: &[Value], pod: &Value, container: &Value) {
    for mounted in list(&container["volumeMounts"]) {
        let volume = list(&pod["volumes"]).iter().find(|volume| volume["name"] == mounted["name"]);
        let volume = volume.expect("the volume");
        let folder = root.join(text(&mounted["mountPath"]).trim_start_matches('/'));
        fs::create_dir(&folder).expect("a folder");
        if let Some(configuration) = volume.get("configMap") {
            let map = of_kind(documents, "ConfigMap");
            assert_eq!(configuration["name"], map["metadata"]["name"]);
            for (name, content) in map["data"].as_object().expect("files") {
                fs::write(folder.join(name), text(content)).expect("written");
            }
        } else {
            let claim = of_kind(documents, "PersistentVolumeClaim");
            assert_eq!(volume["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"]);
            let user = &pod["securityContext"];
            chown(&folder, Some(number(&user["runAsUser"])), Some(number(&user["fsGroup"]))).expect("root");
        }
    }
}

#[test]
fn the_manifest_is_valid() {
    let bench = Bench::new();
    bench.script("kubernetes", "kubernetes.yaml");
    let validate = |version: &str, file: &str| {
        let mut command = bench.command(python().with_file_name("kubernetes-validate"));
        command.args(["--strict", "--kubernetes-version", version, file]);
        command
    };
    for version in VERSIONS {
        succeed(&mut validate(version, "kubernetes.yaml"));
    }
    // What is strict refuses a field that does not exist.
    let manifest = bench.read_all(".yaml").replace("backoffLimitPerIndex", "backoffLimitPerIndices");
    fs::write(bench.path().join("wrong.yml"), manifest).expect("written");
    assert!(!validate(VERSIONS[0], "wrong.yml").output().expect("it runs").status.success());
}

#[test]
fn a_pod_trains_its_shard() {
    const INDEX: usize = 2;
    let bench = Bench::new();
    bench.script("kubernetes", "kubernetes.yaml");
    let documents = documents(&bench);
    assert_eq!(of_kind(&documents, "ConfigMap")["data"]["study.toml"], STUDY);
    let job = &of_kind(&documents, "Job")["spec"];
    assert_eq!(job["completions"], SHARDS);
    let pod = &job["template"]["spec"];
    let [container] = list(&pod["containers"]) else { panic!("one container: {pod}") };
    let [program] = list(&container["command"]) else { panic!("one program: {container}") };

    let root = bench.path().join("root");
    image(&root, Path::new(text(program)));
    mount(&root, &documents, pod, container);
    let user = &pod["securityContext"];
    let user = format!("--userspec={}:{}", user["runAsUser"], user["runAsGroup"]);
    // Nothing but the manifest's environment; of the root folder the user can write the results alone.
    let mut run = bench.command("/usr/sbin/chroot");
    run.env_clear().arg(user).arg(&root).arg(text(program));
    run.args(list(&container["args"]).iter().map(text));
    run.envs(list(&container["env"]).iter().map(|entry| (text(&entry["name"]), text(&entry["value"]))));
    succeed(run.env("JOB_COMPLETION_INDEX", INDEX.to_string()));

    let tests = Bench::tests(&root.join("results/records"));
    assert_eq!(tests.len(), 2, "a pair of runs: {:?}", tests.keys());
    for (record, test) in &tests {
        assert_eq!(single().tests.get(record), Some(test), "{record}");
    }
    // The same shard as of `--shard I/N`, counted from 1.
    let shard = format!("{}/{SHARDS}", INDEX + 1);
    succeed(&mut bench.study(&["run", "study.toml", "--shard", &shard, "--out", "shard", "--yes"]));
    assert_eq!(Bench::tests(&bench.path().join("shard/records")), tests);
}
