resource "terraform_data" "firewall" {
  input = {
    network = terraform_data.network.output.name
    allow   = ["443/tcp"]
  }
}
